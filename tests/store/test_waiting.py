"""store.waiting: a start that gives up in time, and says what is wrong with the server or the URI."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from pymongo import MongoClient

from service.dev.mongod import EmbeddedMongo, find_mongod
from service.errors import ConfigurationError
from service.store.store import Store
from tests.replica_set import (
    ADMIN_PASSWORD,
    NAME,
    SERVICE_PASSWORD,
    Mongod,
    bare_members,
    initiate,
    uri,
)


@pytest.fixture(scope="module")
def member(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """The only member of a set, with access control: each database has a user of the service."""
    with bare_members(tmp_path_factory.mktemp("waiting"), 1) as (member,):
        initiate(member)
        with member.client(username="admin", password=ADMIN_PASSWORD) as admin:
            for name in ("vault", "production"):
                rights = [{"role": "readWrite", "db": name}]
                admin[name].command("createUser", f"{name}-user", pwd=SERVICE_PASSWORD, roles=rights)
            rights = [{"role": "readWrite", "db": "vault"}]
            admin["people"].command("createUser", "ann", pwd=SERVICE_PASSWORD, roles=rights)
        yield member


def refusal(uri: str, seconds: float = 60) -> str:
    """Return the message with which a start is refused; it has no password."""
    store = Store(uri, 2)
    try:
        with pytest.raises(ConfigurationError) as caught:
            store.wait_until_usable(seconds)
    finally:
        store.close()
    assert "hunter" not in str(caught.value)
    return str(caught.value)


def test_waits_for_a_database_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """It logs progress while it waits, then raises an error that says what to check."""
    message = refusal("mongodb://127.0.0.1:9", 3)

    assert message.startswith("MongoDB was not reachable for 3 s (")
    assert "check MONGO_URI" in message
    assert any("waiting for MongoDB" in message for message in caplog.messages)


def test_refuses_wrong_credentials_at_once(mongo: EmbeddedMongo) -> None:
    """Waiting does not help if the password is wrong."""
    message = refusal(mongo.uri.replace("mongodb://", "mongodb://user:hunter2@"))

    assert "MongoDB rejects the user or the password in MONGO_URI: correct them" == message


@pytest.mark.parametrize("path", ["vault?", "?", "vault?authSource=people&", "production?"])
def test_names_the_database_that_has_the_user(member: Mongod, path: str) -> None:
    """A login that is right elsewhere on the server is not a wrong password."""
    user, source = ("admin", "admin") if path != "?" else ("vault-user", "vault")
    password = ADMIN_PASSWORD if user == "admin" else SERVICE_PASSWORD

    message = refusal(f"mongodb://{user}:{password}@{member.host}/{path}replicaSet={NAME}")

    assert f"with this password, in the database {source}, not in " in message
    assert message.endswith(f": write authSource={source} there")


def test_a_wrong_password_gets_no_such_hint(member: Mongod) -> None:
    """No database lets it in."""
    assert "correct them" in refusal(uri("admin", "hunter2", "vault", member))


def test_says_that_the_user_has_no_right(member: Mongod) -> None:
    """Its password is right."""
    message = refusal(uri("production-user", SERVICE_PASSWORD, "staging", member) + "&authSource=production")

    assert "may not read the database staging: give it the role readWrite there" in message


def test_says_where_the_data_of_a_user_without_rights_was(member: Mongod) -> None:
    """Earlier versions ignored the database in the URI, which may only say where the user is stored."""
    message = refusal(uri("ann", SERVICE_PASSWORD, "people", member))

    assert "may read the database vault, but not people" in message
    assert "write /vault?authSource=people" in message
    store = Store(uri("ann", SERVICE_PASSWORD, "vault", member) + "&authSource=people", 2)
    store.wait_until_usable(20)
    store.close()


@pytest.mark.parametrize("direct", ["", "&directConnection=true"])
def test_names_the_replica_set_that_the_server_is_in(member: Mongod, direct: str) -> None:
    """At once: a client that looks for another set never finds this one."""
    wrong = uri("vault-user", SERVICE_PASSWORD, "vault", member, name="wrong") + direct

    assert f"replicaSet=wrong, but the server is in the replica set {NAME}: " in refusal(wrong)


@pytest.mark.parametrize("options", ["replicaSet=rs-test", "", "directConnection=true"])
def test_waits_for_a_set_to_be_initiated_and_says_so(
    tmp_path: Path, options: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody may be about to; when it is, the start goes on."""
    with bare_members(tmp_path, 1) as (bare,):
        asked = f"mongodb://{bare.host}/?{options}"
        message = refusal(asked, 3)

        assert "the replica set was not initiated: run rs.initiate() on one member, once" in message
        assert any("was not initiated" in logged for logged in caplog.messages)
        initiate(bare)
        login = asked.replace("//", f"//admin:{ADMIN_PASSWORD}@")
        with MongoClient(login) as client:
            client["admin"].command("updateUser", "admin", roles=["root"])
        store = Store(login, 2)
        store.wait_until_usable(20)
        store.close()


@pytest.mark.parametrize("options", ["", "?replicaSet=rs0"])
def test_refuses_a_server_without_a_replica_set(tmp_path: Path, options: str) -> None:
    """A standalone server cannot guarantee that acknowledged writes survive."""
    socket = tmp_path / "m.sock"
    with subprocess.Popen(
        [
            find_mongod(),
            "--dbpath",
            str(tmp_path),
            "--bind_ip",
            str(socket),
            "--logpath",
            str(tmp_path / "log"),
        ],
        stdout=subprocess.DEVNULL,
    ) as process:
        try:
            message = refusal(f"mongodb://{quote_plus(str(socket))}/{options}")
        finally:
            process.terminate()

    assert "not part of a replica set" in message
    assert "--replSet" in message
