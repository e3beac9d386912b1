"""kv_source.mount: what is in a mount of a real OpenBao, and what a token may not see of it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.strict_json import Number
from service.transfer.kv_source import mount as kv
from service.transfer.kv_source import secrets
from service.transfer.kv_source.client import Client, Server
from service.transfer.kv_source.errors import NotReadable, SourceUnusable
from service.transfer.kv_source.mount import Mount, Settings, Unlisted
from service.transfer.kv_source.secrets import KvSecret
from tests.openbao import ROOT_TOKEN, OpenBao


@pytest.fixture
def opened(openbao: OpenBao) -> Iterator[Callable[..., Mount]]:
    """Return a function that opens a mount with a token."""
    clients: list[Client] = []

    def open_(name: str, token: str = ROOT_TOKEN) -> Mount:
        clients.append(Client(Server(openbao.url, rate=10_000)))
        clients[-1].use_token(token.encode())
        return Mount(clients[-1], name)

    yield open_
    for client in clients:
        client.close()


def read(mount: Mount, path: str, **options: Any) -> KvSecret:
    """Read a secret now, with the settings of its mount."""
    at = datetime.now(UTC)
    return secrets.read(mount, mount.settings(), path, at, **{"max_versions": 100, **options})


def test_walks_through_all_folders(openbao: OpenBao, opened: Callable[..., Mount]) -> None:
    """In order, the secrets of a folder before the folders in it; a secret and a folder may share a name."""
    name = openbao.make_mount()
    for path in ("b", "a", "a/2", "a/1/x", "z y/é", "a/1/w"):
        openbao.write(name, path, {"x": "1"})
    mount = opened(name)

    assert ["a", "b", "a/2", "a/1/w", "a/1/x", "z y/é"] == list(mount.walk(""))
    assert ["a/1/w", "a/1/x"] == list(mount.walk("a/1/"))
    assert [] == list(mount.walk("nothing/"))


def test_an_empty_mount_has_nothing(openbao: OpenBao, opened: Callable[..., Mount]) -> None:
    """That is no error."""
    assert [] == list(opened(openbao.make_mount()).walk(""))


def test_reads_every_version(openbao: OpenBao, opened: Callable[..., Mount]) -> None:
    """With its time, and its fields as the server has them: a number keeps its text."""
    name = openbao.make_mount()
    before = datetime.now(UTC) - timedelta(seconds=1)
    openbao.write(name, "a", {"x": "1"}, {"x": [1.10, True, None], "y": 12345678901234})
    secret = read(opened(name), "a")

    assert [1, 2] == [version.number for version in secret.versions]
    assert all(before <= version.created_at <= datetime.now(UTC) for version in secret.versions)
    assert {
        1: {"x": "1"},
        2: {"x": [Number("1.1"), True, None], "y": Number("12345678901234")},
    } == secret.values


def test_tells_what_is_deleted_and_destroyed(openbao: OpenBao, opened: Callable[..., Mount]) -> None:
    """Neither has a value; one that will be deleted still has."""
    name = openbao.make_mount()
    openbao.write(name, "a", {"x": "1"}, {"x": "2"}, {"x": "3"})
    openbao.do("POST", f"{name}/metadata/a", {"delete_version_after": "1h"})
    openbao.write(name, "a", {"x": "4"})
    openbao.do("POST", f"{name}/delete/a", {"versions": [1]})
    openbao.do("POST", f"{name}/destroy/a", {"versions": [2]})
    secret = read(opened(name), "a")

    deleted = [version.deleted_at for version in secret.versions]
    assert [False, True, False, False] == [version.destroyed for version in secret.versions]
    assert [True, False, False, True] == [at is not None for at in deleted]
    assert timedelta(minutes=59) < deleted[3] - datetime.now(UTC) < timedelta(minutes=61)
    assert {3: {"x": "3"}, 4: {"x": "4"}} == secret.values


def test_the_current_version_alone(openbao: OpenBao, opened: Callable[..., Mount]) -> None:
    """It may be one without a value."""
    name = openbao.make_mount()
    openbao.write(name, "a", {"x": "1"}, {"x": "2"})
    mount = opened(name)
    assert {2: {"x": "2"}} == read(mount, "a", current_only=True).values

    openbao.do("DELETE", f"{name}/data/a")
    secret = read(mount, "a", current_only=True)
    assert ([2], {}) == ([version.number for version in secret.versions], secret.values)


def test_no_more_versions_than_are_kept(openbao: OpenBao, opened: Callable[..., Mount]) -> None:
    """The newest ones; the others are counted."""
    name = openbao.make_mount()
    openbao.write(name, "a", *({"x": str(number)} for number in range(1, 5)))
    secret = read(opened(name), "a", max_versions=3)

    assert ([2, 3, 4], 1) == ([version.number for version in secret.versions], secret.left_out)
    assert 3 == secret.settings.max_versions


def test_settings_of_the_mount_and_the_secret_count_together(
    openbao: OpenBao, opened: Callable[..., Mount]
) -> None:
    """As the server itself combines them: it has pruned by the same number."""
    name = openbao.make_mount()
    openbao.do(
        "POST", f"{name}/config", {"max_versions": 12, "cas_required": False, "delete_version_after": "10h"}
    )
    openbao.write(
        name, "a", *({"x": str(number)} for number in range(15)), max_versions=3, delete_version_after="90m"
    )
    openbao.write(name, "b", max_versions=20, cas_required=True, custom_metadata={"env": "prod"})
    mount = opened(name)

    assert Settings(12, False, 36_000) == mount.settings()
    a, b = read(mount, "a"), read(mount, "b")
    assert Settings(12, False, 5400) == a.settings
    assert 12 == len(a.versions)
    assert (Settings(20, True, 36_000), {"env": "prod"}, ()) == (
        b.settings,
        b.metadata.labels,
        b.versions,
    )


@pytest.mark.parametrize(
    ("path", "rights", "says"),
    [
        ("metadata/*", ["list"], "the token may not read it: its policy needs read on {0}/metadata/…"),
        ("metadata/*", ["list", "read"], "the token may not read it: its policy needs read on {0}/data/…"),
    ],
)
def test_says_which_right_is_missing(
    openbao: OpenBao, opened: Callable[..., Mount], path: str, rights: list[str], says: str
) -> None:
    """One secret that may not be read is no reason to stop."""
    name = openbao.make_mount()
    openbao.write(name, "a", {"x": "1"})
    mount = opened(name, openbao.make_token({f"{name}/{path}": rights, f"{name}/config": ["read"]}))

    assert ["a"] == list(mount.walk(""))
    with pytest.raises(NotReadable) as refused:
        read(mount, "a")
    assert says.format(name) == str(refused.value)


def test_a_folder_that_may_not_be_listed_is_named(openbao: OpenBao, opened: Callable[..., Mount]) -> None:
    """The walk goes on beside it."""
    name = openbao.make_mount()
    for path in ("a/1", "b/1"):
        openbao.write(name, path, {"x": "1"})
    rules = {f"{name}/metadata": ["list"], f"{name}/metadata/b/*": ["list"]}
    found = list(opened(name, openbao.make_token(rules)).walk(""))

    why = f"the token may not list it: its policy needs list on {name}/metadata/…"
    assert [Unlisted("a/", why), "b/1"] == found


def test_a_secret_that_is_gone_meanwhile(openbao: OpenBao, opened: Callable[..., Mount]) -> None:
    """The next run does not find it."""
    mount = opened(openbao.make_mount())

    for call in (lambda: mount.metadata("a"), lambda: mount.fields("a", 1)):
        with pytest.raises(NotReadable, match="it was deleted meanwhile: run the command again"):
            call()


def test_only_a_kv_mount_of_version_2(openbao: OpenBao, opened: Callable[..., Mount]) -> None:
    """Whatever else is named: nothing, another engine, version 1, a folder in a mount, or one of others."""
    name, old = openbao.make_mount(), openbao.make_mount(version=1)
    openbao.write(name, "a", {"x": "1"})
    for wrong, says in (
        ("nowhere", "there is no mount nowhere, or the token may read nothing of it"),
        ("sys", "the mount sys holds no KV secrets"),
        (old, f"the mount {old} is of KV version 1"),
        (f"{name}/a", f"the mount is {name}/: name that with --mount, and a folder in it with --folder"),
    ):
        with pytest.raises(SourceUnusable, match=says):
            opened(wrong)
    with pytest.raises(SourceUnusable, match="or the token may read nothing of it"):
        opened(name, openbao.make_token({"secret/*": ["read"]}))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", None),
        ("", None),
        ("-1s", None),
        ("30s", 30),
        ("1h30m0s", 5400),
        ("1.5s", 2),
        ("100ms", 1),
        ("876000h0m0s", 3_153_600_000),
    ],
)
def test_reads_durations_as_go_writes_them(text: str, seconds: int | None) -> None:
    """Nothing is rounded down to "at once"."""
    assert seconds == kv._whole_seconds(text)


@pytest.mark.parametrize("text", ["1d", "90", "1h x", "h"])
def test_anything_else_is_no_duration(text: str) -> None:
    """It is not guessed."""
    with pytest.raises(ValueError, match="not a duration"):
        kv._whole_seconds(text)
