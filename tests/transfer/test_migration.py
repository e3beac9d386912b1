"""transfer.migration: what a real OpenBao has is here afterwards, with its versions, and nothing else is."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from pymongo.database import Database

from service.access import policy
from service.errors import PathTaken, SecretDestroyed, VersionConflict
from service.models import Action, now
from service.records import Secret
from service.secrets import lookup, modify, read
from service.secrets.modify import UpdateSecret
from service.secrets.read import SecretVersionRef
from service.secrets.services import SecretServices
from service.store.secret_queries import SecretRef
from service.transfer import importing
from service.transfer.importing import Existing
from service.transfer.kv_source.client import Client, Server
from service.transfer.kv_source.mount import Mount
from service.transfer.migration import Migration
from tests.openbao import ROOT_TOKEN, OpenBao
from tests.secrets.secrets import entry, keep, value_of

Migrate = Callable[..., list[str]]


@pytest.fixture
def name(openbao: OpenBao) -> str:
    """A mount."""
    return openbao.make_mount()


@pytest.fixture
def migration(openbao: OpenBao, vault: SecretServices, name: str) -> Iterator[Callable[..., Migration]]:
    """Return a function that prepares the import of the mount into ``p/``."""
    clients: list[Client] = []

    def prepare(
        existing: Existing = Existing.REFUSE, *, token: str = ROOT_TOKEN, **options: Any
    ) -> Migration:
        clients.append(Client(Server(openbao.url, rate=10_000)))
        clients[-1].use_token(token.encode())
        mount = Mount(clients[-1], name)
        return Migration(vault, policy.OPERATOR, mount, mount.settings(), "p/", existing, **options)

    yield prepare
    for client in clients:
        client.close()


@pytest.fixture
def migrate(migration: Callable[..., Migration]) -> Migrate:
    """Return a function that imports the mount into ``p/``, and returns what it tells."""

    def migrate(existing: Existing = Existing.REFUSE, **options: Any) -> list[str]:
        prepared = migration(existing, **options)
        told = []
        for step in prepared.steps(""):
            if step.outcome in importing.CHANGES:
                prepared.carry_out(entry(), step)
            told.append(str(step))
        return told

    return migrate


def version(vault: SecretServices, path: str, number: int) -> bytes:
    """Fetch a version as the operator does."""
    wanted = SecretVersionRef(SecretRef(path, is_path=True), number)
    return read.fetch(vault, entry(), policy.OPERATOR, wanted).plaintext


def stored(vault: SecretServices, path: str) -> Secret:
    """Return a secret as it is stored."""
    ref = SecretRef(path, is_path=True)
    return lookup.find_one(vault, entry(), policy.OPERATOR, Action.FETCH, ref, vault.secrets.find_whole)


def created(openbao: OpenBao, name: str, path: str) -> list[datetime]:
    """Return when the versions were created there, in whole milliseconds."""
    versions = openbao.do("GET", f"{name}/metadata/{path}")["versions"]
    times = [datetime.fromisoformat(each["created_time"]) for _, each in sorted(versions.items())]
    return [time.replace(microsecond=time.microsecond // 1000 * 1000) for time in times]


def test_every_version_comes_with_its_number_and_time(
    openbao: OpenBao, name: str, vault: SecretServices, migrate: Migrate
) -> None:
    """As the JSON object that an import of ``vault kv get`` has made of it, too."""
    openbao.write(name, "app/db", {"user": "ada", "password": "1"}, {"password": "2", "port": 5432})

    assert ["p/app/db: create (2 versions)"] == migrate()
    assert b'{"password":"1","user":"ada"}' == version(vault, "p/app/db", 1)
    assert b'{"password":"2","port":5432}' == version(vault, "p/app/db", 2) == value_of(vault, "p/app/db")
    assert created(openbao, name, "app/db") == [
        each.created_at for each in stored(vault, "p/app/db").versions
    ]


def test_folders_labels_and_settings_come_along(
    openbao: OpenBao, name: str, vault: SecretServices, migrate: Migrate
) -> None:
    """A secret may have the name of a folder; custom metadata are labels."""
    openbao.write(
        name,
        "team/app",
        {"x": "1"},
        custom_metadata={"env": "prod", "owner": "Ada Lovelace"},
        max_versions=3,
        delete_version_after="1h",
    )
    openbao.write(name, "team/app/db/x", {}, cas_required=False)
    openbao.do("POST", f"{name}/metadata/team/app/db/x", {"cas_required": True})

    assert ["p/team/app: create (1 version)", "p/team/app/db/x: create (1 version)"] == migrate()
    secret = stored(vault, "p/team/app")
    assert ((("env", "prod"), ("owner", "Ada Lovelace")), 3, 3600) == (
        secret.labels,
        secret.max_versions,
        secret.delete_version_after,
    )
    assert timedelta(minutes=59) < secret.versions[0].deleted_at - now() < timedelta(minutes=61)
    assert (True, b"{}") == (
        stored(vault, "p/team/app/db/x").cas_required,
        value_of(vault, "p/team/app/db/x"),
    )


def test_what_is_deleted_or_destroyed_there_is_so_here(
    openbao: OpenBao, name: str, vault: SecretServices, migrate: Migrate
) -> None:
    """A current version that is gone lets no older one come back, and nothing is said to be restorable."""
    openbao.write(name, "a", {"x": "1"}, {"x": "2"}, {"x": "3"}, {"x": "4"})
    openbao.do("POST", f"{name}/destroy/a", {"versions": [2]})
    openbao.do("POST", f"{name}/delete/a", {"versions": [4]})

    without = "2 deleted or destroyed there, so without a value"
    assert [f"p/a: create (4 versions, {without})"] == migrate()
    assert (b'{"x":"1"}', b'{"x":"3"}') == (version(vault, "p/a", 1), version(vault, "p/a", 3))
    with pytest.raises(SecretDestroyed, match="version 4"):
        value_of(vault, "p/a")
    versions = stored(vault, "p/a").versions
    assert [False, False, False, True] == [each.deleted_at is not None for each in versions]


def test_a_secret_that_was_never_written_has_no_value_here_either(
    openbao: OpenBao, name: str, vault: SecretServices, migrate: Migrate
) -> None:
    """There is only metadata, which nothing is made of if each field becomes a secret, or if there is one."""
    openbao.write(name, "a", custom_metadata={"env": "prod"}, max_versions=3)

    assert ["p/a: skip, without a value"] == migrate(split=True)
    assert ["p/a: create (without a value)"] == migrate()
    secret = stored(vault, "p/a")
    assert (0, (), (("env", "prod"),), 3) == (
        *(secret.current, secret.versions),
        *(secret.labels, secret.max_versions),
    )
    assert ["p/a: skip, without a value"] == migrate(Existing.UPDATE)
    assert ["p/a: skip, already exists"] == migrate(Existing.SKIP)


def test_a_name_that_cannot_be_a_path_is_told_and_the_rest_comes(
    openbao: OpenBao, name: str, vault: SecretServices, migrate: Migrate
) -> None:
    """In ASCII, so that it can do nothing to the terminal."""
    for path in ("a", "my secret", "é☃", "folder name/b", "x" * 512, "z"):
        openbao.write(name, path, {"x": "hunter2"})
    told = migrate()

    assert ["p/a: create (1 version)", "p/z: create (1 version)"] == [one for one in told if "create" in one]
    refused = [one for one in told if "refuse: the name " in one and "cannot be a path" in one]
    assert (4, 6) == (len(refused), len(told))
    assert '"\\u00e9\\u2603"' in "".join(refused)
    assert "".join(told).replace("…", "").isascii()
    assert "hunter2" not in "".join(told)


def test_what_a_token_may_not_read_is_told_and_the_rest_comes(
    openbao: OpenBao, name: str, vault: SecretServices, migrate: Migrate
) -> None:
    """Secrets as well as folders."""
    for path in ("a", "b", "c/1", "d/1"):
        openbao.write(name, path, {"x": "1"})
    read_only = ["read"]
    token = openbao.make_token(
        {
            f"{name}/config": read_only,
            f"{name}/metadata": ["list"],
            f"{name}/metadata/+": read_only,
            f"{name}/metadata/d/*": ["list", "read"],
            f"{name}/data/b": read_only,
            f"{name}/data/d/*": read_only,
        }
    )

    assert [
        f"p/a: refuse: the token may not read it: its policy needs read on {name}/data/…",
        "p/b: create (1 version)",
        f"c/: refuse: the token may not list it: its policy needs list on {name}/metadata/…",
        "p/d/1: create (1 version)",
    ] == migrate(token=token)


def test_a_plan_changes_nothing(
    openbao: OpenBao, name: str, database: Database, migration: Callable[..., Migration]
) -> None:
    """Neither here nor there."""
    openbao.write(name, "a", {"x": "1"})
    there = openbao.do("GET", f"{name}/metadata/a")
    told = [str(step) for step in migration().steps("")]

    assert ["p/a: create (1 version)"] == told
    assert (0, 0) == (database.secrets.count_documents({}), database.audit_logs.count_documents({}))
    assert there == openbao.do("GET", f"{name}/metadata/a")


def test_what_is_there_already_is_not_even_read(
    openbao: OpenBao, name: str, vault: SecretServices, migrate: Migrate
) -> None:
    """So an import that goes on costs little: a token that may only list is enough to skip."""
    openbao.write(name, "a", {"x": "1"})
    migrate()
    token = openbao.make_token({f"{name}/config": ["read"], f"{name}/metadata": ["list"]})

    assert ["p/a: skip, already exists"] == migrate(Existing.SKIP, token=token)
    assert ["p/a: refuse: another secret has this path: choose another"] == migrate(token=token)


def test_an_update_brings_what_is_new(
    openbao: OpenBao, name: str, vault: SecretServices, migrate: Migrate
) -> None:
    """One new version with the current value, or new settings, or nothing."""
    for path in ("same", "value", "labels", "gone"):
        openbao.write(name, path, {"x": "1"})
    migrate()
    openbao.write(name, "value", {"x": "2"}, {"x": "3"})
    openbao.write(name, "labels", custom_metadata={"env": "prod"})
    openbao.do("DELETE", f"{name}/data/gone")

    assert [
        "p/gone: skip, its current version is deleted or destroyed there",
        "p/labels: new settings",
        "p/same: unchanged",
        "p/value: new version",
    ] == migrate(Existing.UPDATE)
    assert (b'{"x":"3"}', 2) == (value_of(vault, "p/value"), stored(vault, "p/value").current)
    assert b'{"x":"1"}' == value_of(vault, "p/gone")
    assert (("env", "prod"),) == stored(vault, "p/labels").labels


def test_a_change_between_the_plan_and_the_deed_is_noticed(
    indexed: None,
    openbao: OpenBao,
    name: str,
    vault: SecretServices,
    migration: Callable[..., Migration],
) -> None:
    """Nothing of somebody else's is overwritten."""
    openbao.write(name, "a", {"x": "1"})
    openbao.write(name, "b", {"x": "1"})
    keep(vault, "p/b", b"old")
    prepared = migration(Existing.UPDATE)
    a, b = prepared.steps("")
    keep(vault, "p/a", b"theirs")
    modify.update(vault, entry(), policy.OPERATOR, SecretRef("p/b", is_path=True), UpdateSecret(b"theirs"))

    for step in (a, b):
        with pytest.raises(
            (PathTaken, VersionConflict), match=r"another secret has this path|the secret is at version 2"
        ):
            prepared.carry_out(entry(), step)
    assert (b"theirs", b"theirs") == (value_of(vault, "p/a"), value_of(vault, "p/b"))


def test_a_secret_for_each_field(
    openbao: OpenBao, name: str, vault: SecretServices, migrate: Migrate
) -> None:
    """With the versions that had the field; a null is none, and an odd name is told."""
    openbao.write(
        name,
        "db",
        {"password": "1", "old": "x"},
        {"password": "2", "user": "ada"},
        {"password": "3", "user": "ada", "port": 5432, "none": None, "a b": "x"},
        custom_metadata={"env": "prod"},
    )
    openbao.do("POST", f"{name}/destroy/db", {"versions": [2]})
    told = migrate(split=True)

    without = "1 deleted or destroyed there, so without a value"
    assert {
        f"p/db/password: create (3 versions, {without})",
        f"p/db/user: create (2 versions, {without})",
        f"p/db/port: create (2 versions, {without})",
        "p/db/none: skip, null",
    } == {one for one in told if "refuse" not in one}
    assert (b"1", b"3", b"5432") == (
        version(vault, "p/db/password", 1),
        value_of(vault, "p/db/password"),
        value_of(vault, "p/db/port"),
    )
    assert 1 == sum('refuse: the name "a b" cannot be a path' in one for one in told)
    assert (("env", "prod"),) == stored(vault, "p/db/user").labels

    openbao.do("DELETE", f"{name}/data/db")
    assert ["p/db: skip, its current version is deleted or destroyed there"] == migrate(split=True)


def test_what_is_too_large_is_refused_alone(
    openbao: OpenBao, name: str, vault: SecretServices, migrate: Migrate
) -> None:
    """An old version is enough; the others come."""
    openbao.write(name, "a", {"x": "y" * vault.max_secret_bytes}, {"x": "1"})
    openbao.write(name, "b", {"x": "1"})
    told = migrate()

    assert ["p/a: refuse: a secret may have up to", "p/b: create (1 version)"] == [told[0][:36], told[1]]


@pytest.mark.parametrize("fields", [{"z": 1, "a": {"c": [1, 2], "b": None}, "é": "☃"}, {}])
def test_the_value_is_canonical(
    openbao: OpenBao, name: str, vault: SecretServices, migrate: Migrate, fields: dict[str, Any]
) -> None:
    """Sorted names, no white space, UTF-8: equal fields are equal bytes, so a second run changes nothing."""
    openbao.write(name, "a", fields)
    migrate()

    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert text.encode() == value_of(vault, "p/a")
    assert ["p/a: unchanged"] == migrate(Existing.UPDATE)
