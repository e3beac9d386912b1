"""Records without a tag over all of them: only a database of earlier versions has them, until a rewrap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database
from werkzeug.test import TestResponse

from service.crypto import mac
from service.crypto.keyring import KeyRing
from service.store.store import Store
from tests import earlier
from tests.backup.backups import Operator, Watcher
from tests.calls import WHOAMI, ask, id_of, post
from tests.commands.operator import operate
from tests.conftest import MASTER_KEY
from tests.programs import as_text

ALTERED = "/problems/record-tampered"


@pytest.fixture
def made(client: FlaskClient, database: Database) -> dict[str, str]:
    """Secrets as earlier versions stored them, by kind."""
    made = {
        "path": ask(client, "create/", secret="YQ==", path="a/path").json["secret_id"],
        "neither": ask(client, "create/", secret="YQ==").json["secret_id"],
        "destroyed": ask(client, "create/", secret="YQ==", path="a/destroyed").json["secret_id"],
    }
    ask(client, "destroy", path="a/destroyed")
    for secret_id in made.values():
        earlier.make_secret(database, MASTER_KEY, secret_id)
    return {**made, "legacy": earlier.add_legacy(database, MASTER_KEY)}


@pytest.fixture
def old(client: FlaskClient, store: Store, ring: KeyRing, made: dict[str, str]) -> dict[str, str]:
    """The same, in a database of an earlier version."""
    earlier.accept(store, ring, client)
    return made


def describe(client: FlaskClient, made: dict[str, str]) -> dict[str, TestResponse]:
    """Return the answers about all of them."""
    return {kind: ask(client, "describe", secret_id=secret_id) for kind, secret_id in made.items()}


def rewrap(environment: dict[str, str]) -> Any:
    """Run the command, and return how it ended."""
    return as_text(operate(environment, "key", "rewrap"))


def test_a_new_database_accepts_none(client: FlaskClient, made: dict[str, str]) -> None:
    """Whoever can write to it could otherwise remove tags, and exchange what has none."""
    assert {ALTERED} == {answer.json["type"] for answer in describe(client, made).values()}
    found = ask(client, "list").json
    assert ([], ["a/path"]) == (found["secrets"], found["altered"])
    found = ask(client, "list", unnamed=True).json
    assert ([], {made["neither"], made["legacy"]}) == (found["secrets"], set(found["altered"]))
    assert ALTERED == ask(client, "fetch", path="a/destroyed").json["type"]


def test_removing_the_canary_makes_none_acceptable(
    make_client: Callable[..., FlaskClient], client: FlaskClient, database: Database, made: dict[str, str]
) -> None:
    """A process that starts afterwards makes another one; only a database of legacy records had none."""
    database.meta.delete_one({"_id": "canary"})

    assert {ALTERED} == {answer.json["type"] for answer in describe(make_client(), made).values()}


def test_a_database_of_an_earlier_version_accepts_them(client: FlaskClient, old: dict[str, str]) -> None:
    """As they were: values, lists, and where something was destroyed."""
    for kind in ("path", "neither", "legacy"):
        assert "live" == ask(client, "describe", secret_id=old[kind]).json["state"]
        assert 200 == ask(client, "fetch", secret_id=old[kind]).status_code
    assert "/problems/secret-destroyed" == ask(client, "fetch", path="a/destroyed").json["type"]
    assert ["a/path"] == [each["path"] for each in ask(client, "list").json["secrets"]]
    assert 2 == len(ask(client, "list", unnamed=True).json["secrets"])


def test_a_partial_tag_still_binds_the_path(
    client: FlaskClient, database: Database, old: dict[str, str]
) -> None:
    """What was refused before is refused."""
    database.secrets.update_one({"_id": old["path"]}, {"$set": {"path": "a/other"}})
    database.secrets.update_one({"_id": old["neither"]}, {"$set": {"path": "a/given"}})

    for kind in ("path", "neither"):
        assert ALTERED == ask(client, "fetch", secret_id=old[kind]).json["type"]


@pytest.mark.parametrize("kind", ["path", "neither", "legacy"])
def test_a_change_brings_a_record_over(
    client: FlaskClient, database: Database, old: dict[str, str], kind: str
) -> None:
    """Its tag then covers all of it: putting back what was there before is an error."""
    before = database.secrets.find_one({"_id": old[kind]})
    assert 200 == ask(client, "update", secret_id=old[kind], labels={"a": "b"}).status_code

    changed = database.secrets.find_one({"_id": old[kind]})
    assert mac.WHOLE == changed["tag"][0]
    database.secrets.update_one({"_id": old[kind]}, {"$set": {"labels": [{"k": "a", "v": "c"}]}})
    assert ALTERED == ask(client, "describe", secret_id=old[kind]).json["type"]
    assert before.get("tag") != changed["tag"]


def test_a_rewrap_brings_all_over_and_ends_it(
    client: FlaskClient, database: Database, environment: dict[str, str], old: dict[str, str]
) -> None:
    """In every process from then on, also in those that have been running."""
    untagged = database.secrets.find_one({"_id": old["neither"]})
    assert b"yes" in operate(environment, "key", "earlier").stdout

    finished = rewrap(environment)

    assert (0, "") == (finished.returncode, finished.stdout), finished.stderr
    assert "no record of an earlier version is left" in finished.stderr
    assert b"no" in operate(environment, "key", "earlier").stdout
    for kind in ("path", "neither", "legacy"):
        assert 200 == ask(client, "fetch", secret_id=old[kind]).status_code
    assert {mac.WHOLE} == {document["tag"][0] for document in database.secrets.find()}
    database.secrets.replace_one({"_id": old["neither"]}, untagged)
    late = earlier.add_legacy(database, MASTER_KEY)
    assert {ALTERED} == {
        ask(client, "fetch", secret_id=secret_id).json["type"] for secret_id in (old["neither"], late)
    }
    # Nor does another run make it acceptable.
    assert 1 == rewrap(environment).returncode
    assert ALTERED == ask(client, "fetch", secret_id=old["neither"]).json["type"]


def test_what_does_not_authenticate_keeps_the_rewrap_from_ending_it(
    client: FlaskClient, database: Database, environment: dict[str, str], old: dict[str, str]
) -> None:
    """It is named; once it is gone, the next run ends it."""
    database.secrets.update_one({"_id": old["path"]}, {"$set": {"path": "a/other"}})

    finished = rewrap(environment)

    assert (1, f"secret {old['path']}: tag: tampered: does not authenticate\n") == (
        finished.returncode,
        finished.stdout,
    )
    assert b"yes" in operate(environment, "key", "earlier").stdout
    database.secrets.delete_one({"_id": old["path"]})
    assert 0 == rewrap(environment).returncode
    assert b"no" in operate(environment, "key", "earlier").stdout


@pytest.fixture
def token(guarded: FlaskClient, give: Callable[..., str], database: Database) -> Iterator[str]:
    """A token as an earlier version stored it."""
    token = give("fetch:*", max_uses=3)
    earlier.make_token(database, MASTER_KEY, id_of(token))
    return token


def test_a_new_database_accepts_no_token_of_an_earlier_version(guarded: FlaskClient, token: str) -> None:
    """Its uses and its revocation would not be bound."""
    assert ALTERED == post(guarded, WHOAMI, None, token).json["type"]


def test_tokens_come_over_as_they_are_used_and_by_a_rewrap(
    guarded: FlaskClient,
    give: Callable[..., str],
    database: Database,
    store: Store,
    ring: KeyRing,
    environment: dict[str, str],
    token: str,
) -> None:
    """They go on working, and their uses are counted further."""
    other = give("fetch:*")
    earlier.make_token(database, MASTER_KEY, id_of(other))
    earlier.accept(store, ring, guarded)

    assert 200 == post(guarded, WHOAMI, None, token).status_code
    formats = {each["_id"]: each["tag"][0] for each in database.tokens.find()}
    assert (mac.WHOLE, mac.PARTIAL) == (formats[id_of(token)], formats[id_of(other)])
    assert 0 == rewrap(environment).returncode

    assert {mac.WHOLE} == {each["tag"][0] for each in database.tokens.find()}
    assert [200, 200, 401] == [post(guarded, WHOAMI, None, token).status_code for _ in range(3)]
    assert 200 == post(guarded, WHOAMI, None, other).status_code


def test_a_backup_of_an_earlier_version_is_restored_as_it_was(
    client: FlaskClient,
    make_client: Callable[..., FlaskClient],
    database: Database,
    store: Store,
    ring: KeyRing,
    environment: dict[str, str],
    old: dict[str, str],
) -> None:
    """Into a database that had come over, which then accepts such records again until the next rewrap."""
    operator = Operator(store, ring, Watcher())
    backup = operator.back_up()
    result, failed = operator.drill(backup)
    assert ([], True) == (failed, result.success)
    assert 0 == rewrap(environment).returncode

    operator.restore(backup, replace=True)

    fresh = make_client()
    for kind in ("path", "neither", "legacy"):
        assert 200 == ask(fresh, "fetch", secret_id=old[kind]).status_code
    assert b"yes" in operate(environment, "key", "earlier").stdout
    assert 0 == rewrap(environment).returncode


def test_a_drill_names_records_without_a_whole_tag(
    client: FlaskClient, store: Store, ring: KeyRing, made: dict[str, str]
) -> None:
    """In a backup of a database that accepts none."""
    operator = Operator(store, ring, Watcher())

    result, failed = operator.drill(operator.back_up())

    assert (4, False) == (result.failed, result.success)
    assert {f"secret {secret_id}" for secret_id in made.values()} == {line.split(": ")[0] for line in failed}
