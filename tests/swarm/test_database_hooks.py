"""The hooks of docs/how-to/secrets/hooks, run as a roll runs them, with real databases."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from service.swarm.hooks import HookFailed, Moment, Values, run
from tests.docs.pages import DOCS
from tests.postgresql import PostgreSQL
from tests.postgresql import running as running_postgresql
from tests.replica_set import Mongod, bare_members, initiate

HOOKS = DOCS / "how-to/secrets/hooks"
USERS = ("billing_a", "billing_b")
OLD, NEW, OTHER = "old-hunter5", "new:hunter6\\'", "other-hunter7"
AUTHENTICATION_FAILED = 18
ROLLER_PASSWORD = "roller-hunter8"
# Records psql's arguments and environment, and becomes it.
RECORDER = """#!/bin/sh
cat /proc/$$/cmdline /proc/$$/environ >> {record}
exec {psql} "$@"
"""
# What the page tells the reader to do once, and the passwords.
(PAGES_SETUP,) = re.findall(
    r"```sql\n(.*?)```", (DOCS / "how-to/secrets/roll-hook.md").read_text(), re.DOTALL
)
PASSWORDS = f"ALTER ROLE billing_a PASSWORD '{OLD}'; ALTER ROLE roller PASSWORD '{ROLLER_PASSWORD}';"


def values(old: str, new: str) -> Values:
    """Return two versions, each given as USER:PASSWORD."""
    return Values("team/billing/db", 1, 2, old.encode(), new.encode())


TO_B = values(f"billing_a:{OLD}", f"billing_b:{NEW}")
BACK_TO_A = values(f"billing_b:{NEW}", f"billing_a:{OTHER}")


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQL]:
    """Yield a server for all tests of this file."""
    with running_postgresql() as server:
        yield server


@pytest.fixture
def billing(postgresql: PostgreSQL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgreSQL]:
    """Yield the server with the two users, and let the hook find it and a psql that records its start."""
    assert 0 == postgresql.execute(PAGES_SETUP + PASSWORDS).returncode
    psql = tmp_path / "psql"
    psql.write_text(RECORDER.format(record=tmp_path / "record", psql=postgresql.psql))
    psql.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("HOOK_USERS", " ".join(USERS))
    variables = {"PGHOST": str(postgresql.folder), "PGDATABASE": "postgres", "PGUSER": "roller"}
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    monkeypatch.delenv("PGPASSWORD", raising=False)
    password_file(tmp_path, monkeypatch, ROLLER_PASSWORD)
    yield postgresql
    assert 0 == postgresql.execute("DROP ROLE roller, billing_a, billing_b, billing").returncode


def password_file(folder: Path, monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    """Let the hook log in with this password."""
    file = folder / "pgpass"
    file.touch(mode=0o600)
    file.write_text(f"*:*:*:roller:{password}\n")
    monkeypatch.setenv("PGPASSFILE", str(file))


def logs_in(server: PostgreSQL, user: str, password: str) -> bool:
    """Return whether the server accepts this login."""
    return server.execute("SELECT 1", user, password).returncode == 0


def test_postgresql_changes_between_two_users(billing: PostgreSQL) -> None:
    """Both logins work while services are rolled, and the old one no more afterwards; then the other way."""
    hook = HOOKS / "postgresql.py"

    run(hook, Moment.BEFORE, TO_B)
    assert logs_in(billing, "billing_a", OLD)
    assert logs_in(billing, "billing_b", NEW)
    run(hook, Moment.AFTER, TO_B)
    assert not logs_in(billing, "billing_a", OLD)
    assert logs_in(billing, "billing_b", NEW)

    run(hook, Moment.BEFORE, BACK_TO_A)
    assert logs_in(billing, "billing_b", NEW)
    assert logs_in(billing, "billing_a", OTHER)
    run(hook, Moment.AFTER, BACK_TO_A)
    assert not logs_in(billing, "billing_b", NEW)
    assert not logs_in(billing, "billing_a", OLD)
    assert logs_in(billing, "billing_a", OTHER)


def test_postgresql_withdraws_the_new_login_of_a_roll_that_failed(billing: PostgreSQL) -> None:
    """The old one stays; and each moment bears being repeated."""
    hook = HOOKS / "postgresql.py"

    for moment in (Moment.BEFORE, Moment.BEFORE, Moment.FAILED, Moment.FAILED):
        run(hook, moment, TO_B)

    assert logs_in(billing, "billing_a", OLD)
    assert not logs_in(billing, "billing_b", NEW)


def test_postgresql_ends_the_sessions_of_the_old_login(billing: PostgreSQL) -> None:
    """A password that got out is of no use any more, also where it was used before."""
    environment = billing.login(OLD)
    with subprocess.Popen(
        billing.command("billing_a"),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as session:
        assert session.stdin is not None
        wait_until(lambda: sessions(billing, "billing_a") == 1)

        run(HOOKS / "postgresql.py", Moment.BEFORE, TO_B)
        assert 1 == sessions(billing, "billing_a")
        run(HOOKS / "postgresql.py", Moment.AFTER, TO_B)

        wait_until(lambda: sessions(billing, "billing_a") == 0)
        session.communicate("SELECT 1;\n")
        assert 0 != session.returncode


def sessions(server: PostgreSQL, user: str) -> int:
    """Return how many sessions the user has."""
    found = server.execute("SELECT usename FROM pg_stat_activity WHERE usename IS NOT NULL").stdout
    return found.splitlines().count(user)


def wait_until(condition: Callable[[], bool]) -> None:
    """Poll until it is true."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_postgresql_shows_no_password(
    billing: PostgreSQL, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither in psql's arguments and environment, nor in the output, nor in a log of all statements."""
    logged_before = billing.log.stat().st_size
    for moment in (Moment.BEFORE, Moment.AFTER, Moment.FAILED):
        run(HOOKS / "postgresql.py", moment, TO_B)

    record = (tmp_path / "record").read_text()
    assert "ON_ERROR_STOP" in record
    assert "PGUSER=roller" in record
    logged = billing.log.read_bytes()[logged_before:].decode()
    assert 'ALTER ROLE "billing_b"' in logged
    for shown in (record, "".join(capfd.readouterr()), logged):
        assert NEW not in shown
        assert ROLLER_PASSWORD not in shown


@pytest.mark.parametrize("moment", list(Moment))
def test_postgresql_changes_nothing_without_a_login(
    billing: PostgreSQL,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    moment: Moment,
) -> None:
    """With a wrong password of its own it fails, and says why."""
    password_file(tmp_path, monkeypatch, "wrong-hunter9")
    before = roles(billing)

    with pytest.raises(HookFailed, match="ended with status 1"):
        run(HOOKS / "postgresql.py", moment, TO_B)

    assert before == roles(billing)
    errors = capfd.readouterr().err
    assert 'password authentication failed for user "roller"' in errors
    assert "hunter" not in errors


@pytest.mark.parametrize(
    ("versions", "says"),
    [
        (values("billing_a:x", "billing_a:hunter9"), "both versions are of the user billing_a"),
        (values("billing_a:x", "postgres:hunter9"), "the user postgres is not one of HOOK_USERS"),
        (values("billing_a:x", 'billing_b";:hunter9'), "value is not USER:PASSWORD"),
        (values("billing_a:x", "hunter9"), "value is not USER:PASSWORD"),
        (values("billing_a:x", "billing_b:hunter9\n"), "without an end of line"),
    ],
    ids=["same user", "foreign user", "SQL", "no user", "end of line"],
)
def test_postgresql_refuses_a_value_that_would_do_harm(
    billing: PostgreSQL, capfd: pytest.CaptureFixture[str], versions: Values, says: str
) -> None:
    """It fails before anything is touched, and does not repeat the value."""
    before = roles(billing)

    with pytest.raises(HookFailed):
        run(HOOKS / "postgresql.py", Moment.BEFORE, versions)

    assert before == roles(billing)
    errors = capfd.readouterr().err
    assert says in errors
    assert "hunter" not in errors


def roles(server: PostgreSQL) -> str:
    """Return what the server has of the two users."""
    finished = server.execute(
        "SELECT * FROM pg_authid WHERE rolname IN ('billing_a', 'billing_b') ORDER BY rolname"
    )
    assert len(USERS) == len(finished.stdout.splitlines())
    return finished.stdout


@pytest.fixture(scope="module")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """Yield a server with access control for all tests of this file."""
    with bare_members(tmp_path_factory.mktemp("mongod"), 1) as (member,):
        initiate(member)
        with admin(member) as client:
            client.billing.command(
                "createRole",
                "password_changer",
                privileges=[{"resource": {"db": "billing", "collection": ""}, "actions": ["changePassword"]}],
                roles=[],
            )
        yield member


def admin(mongod: Mongod) -> MongoClient[dict[str, Any]]:
    """Return a client that may do all."""
    return mongod.client(username="admin", password="admin-hunter2")


@pytest.fixture
def shop(mongod: Mongod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mongod]:
    """Yield the server with the two users, and let the hook find it."""
    with admin(mongod) as client:
        for user, password, roles in (
            ("billing_a", OLD, ["readWrite"]),
            ("billing_b", "nobody-knows", ["readWrite"]),
            ("roller", ROLLER_PASSWORD, ["password_changer"]),
        ):
            client.billing.command("createUser", user, pwd=password, roles=roles)
        uri_file(mongod, tmp_path, monkeypatch, ROLLER_PASSWORD)
        monkeypatch.setenv("HOOK_USERS", " ".join(USERS))
        monkeypatch.setenv("HOOK_DATABASE", "billing")
        yield mongod
        client.billing.command("dropAllUsersFromDatabase")


def uri_file(mongod: Mongod, folder: Path, monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    """Let the hook log in with this password."""
    file = folder / "uri"
    file.touch(mode=0o600)
    file.write_text(f"mongodb://roller:{password}@{mongod.host}/?authSource=billing\n")
    monkeypatch.setenv("HOOK_MONGO_URI_FILE", str(file))


def mongo_logs_in(mongod: Mongod, user: str, password: str) -> bool:
    """Return whether the server accepts this login, with which data can be read."""
    with mongod.client(username=user, password=password, authSource="billing") as client:
        try:
            client.billing.invoices.find_one()
        except OperationFailure as error:
            if error.code != AUTHENTICATION_FAILED:
                raise
            return False
    return True


def test_mongodb_changes_between_two_users(shop: Mongod) -> None:
    """Both logins work while services are rolled, and the old one no more afterwards; then the other way."""
    hook = HOOKS / "mongodb.py"

    run(hook, Moment.BEFORE, TO_B)
    assert mongo_logs_in(shop, "billing_a", OLD)
    assert mongo_logs_in(shop, "billing_b", NEW)
    run(hook, Moment.AFTER, TO_B)
    assert not mongo_logs_in(shop, "billing_a", OLD)
    assert mongo_logs_in(shop, "billing_b", NEW)

    run(hook, Moment.BEFORE, BACK_TO_A)
    assert mongo_logs_in(shop, "billing_b", NEW)
    assert mongo_logs_in(shop, "billing_a", OTHER)
    run(hook, Moment.AFTER, BACK_TO_A)
    assert not mongo_logs_in(shop, "billing_b", NEW)
    assert mongo_logs_in(shop, "billing_a", OTHER)


def test_mongodb_withdraws_the_new_login_of_a_roll_that_failed(shop: Mongod) -> None:
    """The old one stays; and each moment bears being repeated."""
    hook = HOOKS / "mongodb.py"

    for moment in (Moment.BEFORE, Moment.BEFORE, Moment.FAILED, Moment.FAILED):
        run(hook, moment, TO_B)

    assert mongo_logs_in(shop, "billing_a", OLD)
    assert not mongo_logs_in(shop, "billing_b", NEW)


@pytest.mark.parametrize("moment", list(Moment))
def test_mongodb_changes_nothing_without_a_login(
    shop: Mongod,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    moment: Moment,
) -> None:
    """With a wrong password of its own it fails, and says why."""
    uri_file(shop, tmp_path, monkeypatch, "wrong-hunter9")
    before = credentials(shop)

    with pytest.raises(HookFailed, match="ended with status 1"):
        run(HOOKS / "mongodb.py", moment, TO_B)

    assert before == credentials(shop)
    errors = capfd.readouterr().err
    assert "Authentication failed" in errors
    assert "hunter" not in errors


@pytest.mark.parametrize(
    ("versions", "says"),
    [
        (values("billing_a:x", "billing_a:hunter9"), "both versions are of the user billing_a"),
        (values("billing_a:x", "roller:hunter9"), "the user roller is not one of HOOK_USERS"),
        (values("billing_a:x", "hunter9"), "value is not USER:PASSWORD"),
    ],
    ids=["same user", "foreign user", "no user"],
)
def test_mongodb_refuses_a_value_that_would_do_harm(
    shop: Mongod, capfd: pytest.CaptureFixture[str], versions: Values, says: str
) -> None:
    """It fails before anything is touched, and does not repeat the value."""
    before = credentials(shop)

    with pytest.raises(HookFailed):
        run(HOOKS / "mongodb.py", Moment.BEFORE, versions)

    assert before == credentials(shop)
    errors = capfd.readouterr().err
    assert says in errors
    assert "hunter" not in errors


def credentials(mongod: Mongod) -> list[dict[str, Any]]:
    """Return what the server has of the users."""
    with admin(mongod) as client:
        users: list[dict[str, Any]] = client.billing.command("usersInfo", 1, showCredentials=True)["users"]
    assert 3 == len(users)
    return users


def test_mongodb_shows_no_password(shop: Mongod, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither in the output nor in the server's log."""
    for moment in (Moment.BEFORE, Moment.AFTER, Moment.FAILED):
        run(HOOKS / "mongodb.py", moment, TO_B)

    shown = "".join(capfd.readouterr()) + (shop.folder / "mongod.log").read_text()
    assert "billing_b" in shown
    assert NEW not in shown
    assert ROLLER_PASSWORD not in shown
