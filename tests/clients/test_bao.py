"""`bao`: each command for secrets and tokens, with the texts that people see."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pymongo.database import Database

from tests.calls import UNKNOWN, id_of
from tests.clients.bao import Bao, table
from tests.gunicorn_server import Server


@pytest.fixture
def bao_as(door: Server, give: Callable[..., str], tmp_path: Path) -> Callable[..., Bao]:
    """Return a function that makes a command line with a token that has these scopes."""
    return lambda *scopes, **request: Bao(door, tmp_path, give(*scopes, **request))


@pytest.fixture
def bao(bao_as: Callable[..., Bao]) -> Bao:
    """An administrator's command line."""
    return bao_as("admin")


def test_writes_and_reads(bao: Bao) -> None:
    """With the mount in the path and beside it; a value from standard input and as a field."""
    written = bao.output("kv", "put", "secret/team/app", "user=app", "password=hunter2")
    assert "secret/data/team/app" in written
    assert {"version": "1", "destroyed": "false", "custom_metadata": "<nil>", "deletion_time": "n/a"} == {
        name: value for name, value in table(written).items() if name != "created_time"
    }
    assert (
        "2" == table(bao.output("kv", "put", "-mount=secret", "team/app", "password=-", stdin="x"))["version"]
    )

    assert {"password": "x"} == table(bao.output("kv", "get", "secret/team/app"))
    assert {"password": "x"} == table(bao.output("kv", "get", "-mount=secret", "team/app"))
    assert "hunter2" == bao.output("kv", "get", "-version=1", "-field=password", "secret/team/app").strip()
    assert {"password": "hunter2", "user": "app"} == bao.json("kv", "get", "-version=1", "secret/team/app")[
        "data"
    ]["data"]
    assert 'Field "other" not present' in bao.run("kv", "get", "-field=other", "secret/team/app").stderr


def test_checks_the_version_that_a_write_expects(bao: Bao) -> None:
    """``-cas``: 0 only creates."""
    bao.output("kv", "put", "-cas=0", "secret/a", "x=1")

    said = bao.refusal("kv", "put", "-cas=0", "secret/a", "x=2")

    assert "Code: 400" in said
    assert "* check-and-set parameter did not match the current version" in said
    assert "2" == table(bao.output("kv", "put", "-cas=1", "secret/a", "x=2"))["version"]


@pytest.mark.parametrize(
    ("method", "absent"),
    [("patch", "Error writing data to secret/data/b: "), ("rw", "No value found at secret/data/b")],
)
def test_patches(bao: Bao, method: str, absent: str) -> None:
    """By a merge patch, and by reading and writing."""
    bao.output("kv", "put", "secret/a", "user=app", "password=old")

    assert "2" == table(bao.output("kv", "patch", f"-method={method}", "secret/a", "password=new"))["version"]

    assert {"password": "new", "user": "app"} == table(bao.output("kv", "get", "secret/a"))
    assert absent in bao.refusal("kv", "patch", f"-method={method}", "secret/b", "x=1")


def test_patch_removes_fields(bao: Bao) -> None:
    """``-remove-data`` sends null."""
    bao.output("kv", "put", "secret/a", "user=app", "password=old")

    bao.output("kv", "patch", "-remove-data=user", "secret/a")

    assert {"password": "old"} == table(bao.output("kv", "get", "secret/a"))


def test_lists(bao: Bao) -> None:
    """Folders end in a slash."""
    for path in ("team/app", "team/db/main", "other"):
        bao.output("kv", "put", f"secret/{path}", "x=1")

    assert ["other", "team/"] == bao.output("kv", "list", "secret/").split()[2:]
    assert ["app", "db/"] == bao.output("kv", "list", "-mount=secret", "team").split()[2:]
    assert ["app", "db/"] == bao.json("kv", "list", "secret/team/")
    assert "No value found at secret/metadata/nothing" in bao.refusal("kv", "list", "secret/nothing")


def test_deletes_and_restores_versions(bao: Bao) -> None:
    """A deleted or destroyed version is shown without its value, and nothing falls back to an older one."""
    for number in "123":
        bao.output("kv", "put", "secret/a", f"x={number}")

    deleted = bao.output("kv", "delete", "secret/a")
    assert "Success! Data deleted (if it existed) at: secret/data/a" in deleted
    shown = bao.output("kv", "get", "secret/a")
    assert "== Data ==" not in shown
    assert "n/a" != table(shown)["deletion_time"]
    restored = bao.output("kv", "undelete", "-versions=3", "secret/a")
    assert "Success! Data written to: secret/undelete/a" in restored
    assert {"x": "3"} == table(bao.output("kv", "get", "secret/a"))

    bao.output("kv", "delete", "-versions=1,2", "secret/a")
    destroyed = bao.output("kv", "destroy", "-mount=secret", "-versions=1", "a")
    assert "Success! Data written to: secret/destroy/a" in destroyed
    versions = bao.json("kv", "metadata", "get", "secret/a")["data"]["versions"]
    assert {"1": True, "2": False, "3": False} == {
        number: version["destroyed"] for number, version in versions.items()
    }
    assert [True, True, False] == [versions[number]["deletion_time"] != "" for number in "123"]


def test_rolls_back(bao: Bao) -> None:
    """To a new version with the old value; not to one that is deleted."""
    bao.output("kv", "put", "secret/a", "x=old")
    bao.output("kv", "put", "secret/a", "x=new")

    assert "3" == table(bao.output("kv", "rollback", "-version=1", "secret/a"))["version"]

    assert {"x": "old"} == table(bao.output("kv", "get", "secret/a"))
    bao.output("kv", "delete", "-versions=2", "secret/a")
    assert 0 != bao.run("kv", "rollback", "-version=2", "secret/a").returncode


def test_metadata(bao: Bao) -> None:
    """Of a secret without a value, and of one with."""
    wanted = ("-max-versions=5", "-delete-version-after=90m", "-custom-metadata=owner=team")
    written = bao.output("kv", "metadata", "put", *wanted, "secret/a")
    assert "Success! Data written to: secret/metadata/a" in written
    assert "No value found at secret/data/a" in bao.refusal("kv", "get", "secret/a")
    bao.output("kv", "put", "-cas=0", "secret/a", "x=1")

    shown = bao.output("kv", "metadata", "get", "secret/a")
    for text in ("map[owner:team]", "1h30m0s", "= Version 1 ="):
        assert text in shown

    bao.output("kv", "metadata", "patch", "-custom-metadata=stage=test", "-cas-required", "secret/a")
    bao.output("kv", "metadata", "patch", "-remove-custom-metadata=owner", "-mount=secret", "a")
    found = bao.json("kv", "metadata", "get", "-mount=secret", "a")["data"]
    assert ({"stage": "test"}, True, 5) == (
        found["custom_metadata"],
        found["cas_required"],
        found["max_versions"],
    )
    said = bao.refusal("kv", "put", "secret/a", "x=2")
    assert "* check-and-set parameter required for this call" in said

    assert "Success! Data deleted (if it existed) at: secret/metadata/a" in bao.output(
        "kv", "metadata", "delete", "secret/a"
    )
    assert "No value found at secret/metadata/a" in bao.refusal("kv", "metadata", "get", "secret/a")


def test_logs_in_and_out(door: Server, give: Callable[..., str], tmp_path: Path) -> None:
    """The token comes from standard input and stays in the home folder; it ends when it is revoked."""
    token, bao = give("admin"), Bao(door, tmp_path)
    assert "permission denied" in bao.refusal("login", UNKNOWN)

    said = bao.output("login", "-", stdin=token)

    assert "Success! You are now authenticated." in said
    assert "root" in table(said)["policies"]
    bao.output("kv", "put", "secret/a", "x=1")
    assert "Success! Revoked token (if it existed)" in bao.output("token", "revoke", "-self")
    assert "permission denied" in bao.refusal("kv", "get", "secret/a")


def test_status(door: Server, tmp_path: Path) -> None:
    """Without a token; scripts go by the exit code."""
    shown = table(Bao(door, tmp_path).output("status"))

    assert ("true", "false") == (shown["Initialized"], shown["Sealed"])


def test_looks_up_and_renews_its_token(bao_as: Callable[..., Bao]) -> None:
    """The increment that is asked for is the token's own."""
    bao = bao_as("fetch:team/*", expires_in=3600, renewable=True)
    token = bao.environment["BAO_TOKEN"]

    shown = table(bao.output("token", "lookup"))
    assert (id_of(token), "[fetch:team/*]", "true", "1h") == tuple(
        shown[name] for name in ("accessor", "policies", "renewable", "period")
    )
    renewed = bao.output("token", "renew", "-increment=10m")
    assert (token, "true") == tuple(table(renewed)[name] for name in ("token", "token_renewable"))
    assert 3600 >= bao.json("token", "lookup")["data"]["ttl"] > 3500

    assert "* lease is not renewable" in bao_as("fetch:team/*").refusal("token", "renew")


def test_shows_capabilities(bao_as: Callable[..., Bao]) -> None:
    """Of the token at a path."""
    bao = bao_as("fetch:team/*", "update:team/*")

    assert "patch, read, update" == bao.output("token", "capabilities", "secret/data/team/app").strip()
    assert "deny" == bao.output("token", "capabilities", "secret/data/other").strip()


def test_says_who_may_not(door: Server, bao: Bao, bao_as: Callable[..., Bao], tmp_path: Path) -> None:
    """With a wrong token or none, with one for elsewhere, and with one that only reads."""
    bao.output("kv", "put", "secret/team/app", "x=1")
    for wrong in (Bao(door, tmp_path, UNKNOWN), Bao(door, tmp_path, "hvs.CAESIother"), Bao(door, tmp_path)):
        said = wrong.refusal("kv", "get", "secret/team/app")
        assert "Code: 403" in said
        assert "* permission denied" in said

    elsewhere = bao_as("fetch:other/*")
    said = elsewhere.refusal("kv", "get", "secret/team/app")
    assert "* permission denied" in said
    assert "* the token lacks a scope for this path: fetch:team/app" in said

    reader = bao_as("fetch:team/*", "list:team/*")
    assert {"x": "1"} == table(reader.output("kv", "get", "secret/team/app"))
    for arguments in (
        ("kv", "put", "secret/team/app", "x=2"),
        ("kv", "patch", "secret/team/app", "x=2"),
        ("kv", "delete", "secret/team/app"),
        ("kv", "metadata", "delete", "secret/team/app"),
    ):
        assert "* permission denied" in reader.refusal(*arguments)


def test_says_what_is_not_there(bao: Bao) -> None:
    """An absent secret, version or mount, and a path without the engine's verb."""
    bao.output("kv", "put", "secret/a", "x=1")

    assert "No value found at secret/data/nothing" in bao.refusal("kv", "get", "secret/nothing")
    assert "No value found at secret/data/a" in bao.refusal("kv", "get", "-version=7", "secret/a")
    said = bao.refusal("kv", "get", "nothing/a")
    assert "preflight capability check returned 403" in said
    assert 'access to path "nothing/a/"' in said
    said = bao.run("read", "secret/a")
    assert "kv get" in said.stdout + said.stderr
    assert "* invalid path: " in bao.refusal("kv", "put", "secret/not a name", "x=1")


def test_values_of_other_ways_to_write(door: Server, bao: Bao) -> None:
    """A text and bytes that were created by the native API are a field each."""
    token = {"Authorization": f"Bearer {bao.environment['BAO_TOKEN']}"}
    for path, value in (("text", "aHVudGVyMg=="), ("bytes", "//79")):
        door.post("/vault/secret/create/", {"secret": value, "path": path}, headers=token)

    assert "hunter2" == bao.output("kv", "get", "-field=value", "secret/text").strip()
    assert "//79" == bao.output("kv", "get", "-field=value_base64", "secret/bytes").strip()


def test_a_single_read_is_one(door: Server, bao: Bao) -> None:
    """The command asks twice, and only the second request is a read."""
    token = {"Authorization": f"Bearer {bao.environment['BAO_TOKEN']}"}
    once = {"secret": "aHVudGVyMg==", "path": "once", "max_reads": 1}
    assert 200 == door.post("/vault/secret/create/", once, headers=token).status_code
    bao.output("kv", "metadata", "get", "secret/once")
    bao.output("kv", "list", "secret/")

    assert "hunter2" == bao.output("kv", "get", "-field=value", "secret/once").strip()
    assert "No value found at secret/data/once" in bao.refusal("kv", "get", "secret/once")


def test_repeats_what_cannot_be_recorded(door: Server, bao: Bao, database: Database) -> None:
    """Three times by itself; no value comes without its record, and a single read is used up."""
    bao.output("kv", "put", "secret/a", "x=hunter2")
    token = {"Authorization": f"Bearer {bao.environment['BAO_TOKEN']}"}
    once = {"secret": "aHVudGVyMg==", "path": "once", "max_reads": 1}
    assert 200 == door.post("/vault/secret/create/", once, headers=token).status_code
    database.command("collMod", "audit_logs", validator={"never": {"$exists": True}})
    try:
        for path in ("secret/a", "secret/once"):
            said = bao.refusal("kv", "get", path)
            assert "Code: 503" in said
            assert "hunter2" not in said
    finally:
        database.command("collMod", "audit_logs", validator={})

    assert {"x": "hunter2"} == table(bao.output("kv", "get", "secret/a"))
    assert "No value found at secret/data/once" in bao.refusal("kv", "get", "secret/once")


def test_makes_looks_up_and_revokes_tokens(door: Server, bao: Bao, tmp_path: Path) -> None:
    """By token and by accessor."""
    bao.output("kv", "put", "secret/team/app", "x=1")
    made = bao.json(
        "token", "create", "-policy=fetch:team/*", "-ttl=10m", "-display-name=ci", "-renewable=false"
    )
    token, accessor = made["auth"]["client_token"], made["auth"]["accessor"]
    child = Bao(door, tmp_path, token)

    assert {"x": "1"} == table(child.output("kv", "get", "secret/team/app"))
    assert "* permission denied" in child.refusal("kv", "put", "secret/team/app", "x=2")
    assert accessor == bao.json("token", "lookup", token)["data"]["accessor"]
    assert "" == bao.json("token", "lookup", "-accessor", accessor)["data"]["id"]
    assert "Success! Revoked token (if it existed)" in bao.output("token", "revoke", "-accessor", accessor)
    assert "* permission denied" in child.refusal("kv", "get", "secret/team/app")
    assert "* bad token" in bao.refusal("token", "lookup", token)


def test_wraps_and_unwraps(door: Server, bao: Bao, tmp_path: Path) -> None:
    """Once: by the token itself or beside one's own."""
    bao.output("kv", "put", "secret/team/app", "password=hunter2")
    for unwrapping in (
        lambda token: Bao(door, tmp_path, token).output("unwrap", "-format=json"),
        lambda token: bao.output("unwrap", "-format=json", token),
    ):
        wrapped = bao.output("kv", "get", "-wrap-ttl=60s", "secret/team/app")
        assert "hunter2" not in wrapped
        token = table(wrapped)["wrapping_token:"]
        assert "hunter2" in unwrapping(token)
        assert "* wrapping token is not valid or does not exist" in bao.refusal("unwrap", token)


def test_logs_in_with_an_approle(
    door: Server, bao: Bao, make_role: Callable[..., tuple[str, str]], tmp_path: Path
) -> None:
    """As scripts do; a wrong id gets no token."""
    bao.output("kv", "put", "secret/team/app", "x=1")
    role_id, secret_id = make_role("ci", "fetch:team/*")
    nobody = Bao(door, tmp_path)
    secret_file = tmp_path / "secret_id"
    secret_file.write_text(secret_id)
    login = ("write", "-field=token", "auth/approle/login", f"role_id={role_id}")

    token = nobody.output(*login, f"secret_id=@{secret_file}").strip()

    assert {"x": "1"} == table(Bao(door, tmp_path, token).output("kv", "get", "secret/team/app"))
    assert "* invalid role or secret ID" in nobody.refusal(*login, "secret_id=other")
