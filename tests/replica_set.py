"""Real mongods with access control on loopback ports, alone or as a replica set."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from service.dev.mongod import find_mongod
from service.mongo_admin.users import ADMIN_ROLES
from service.store.tls import MongoTls
from service.store.tls import options as tls_options
from tests.gunicorn_server import free_port
from tests.programs import run_module

NAME = "rs-test"
ADMIN_PASSWORD = "admin-hunter2"
SERVICE_PASSWORD = "vault-hunter3"
SECONDS = 30  # limit for what usually takes a second or two


class Mongod:
    """A mongod with ``keyfile`` and its data in ``folder``, not yet in a replica set.

    ``options`` are additional command-line options; if they enable TLS, ``tls`` is for its clients.
    """

    def __init__(
        self, folder: Path, keyfile: Path, options: Sequence[str] = (), tls: MongoTls | None = None
    ) -> None:
        self.options = options
        self.tls = tls
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.folder = folder
        self.keyfile = keyfile
        (folder / "db").mkdir(parents=True)
        self.start()

    def start(self) -> None:
        """Start the process, without waiting until it answers."""
        self.process = subprocess.Popen(
            [
                find_mongod(),
                *("--replSet", NAME, "--keyFile", self.keyfile, "--dbpath", "db", "--nounixsocket"),
                *("--bind_ip", "127.0.0.1", "--port", str(self.port)),
                *("--wiredTigerCacheSizeGB", "0.25", "--logpath", "mongod.log", "--logappend"),
                *("--setParameter", "diagnosticDataCollectionEnabled=false"),
                *self.options,
            ],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        """Kill the process, like a power failure."""
        self.process.kill()
        self.process.wait()

    def client(self, **options: Any) -> MongoClient:
        """Return a client of this member alone."""
        return MongoClient(
            self.host,
            directConnection=True,
            serverSelectionTimeoutMS=SECONDS * 1000,
            **tls_options(self.tls),
            **options,
        )

    def hello(self) -> dict[str, Any]:
        """Return its answer to ``hello``, as soon as it answers."""
        with self.client() as client:
            return client.admin.command("hello")

    def admin(self, command: str, value: Any = 1, **fields: Any) -> dict[str, Any]:
        """Run an admin command on this member as the administrator."""
        with self.client(username="admin", password=ADMIN_PASSWORD) as client:
            return client.admin.command(command, value, **fields)

    def state(self, host: str) -> str:
        """Return the state of a member as this one sees it."""
        members = self.admin("replSetGetStatus")["members"]
        return next(member["stateStr"] for member in members if member["name"] == host)


@contextmanager
def bare_members(
    folder: Path, number: int = 3, options: Sequence[str] = (), tls: MongoTls | None = None
) -> Iterator[list[Mongod]]:
    """Run ``number`` mongods that answer and are not in a replica set."""
    keyfile = folder / "keyfile"
    keyfile.touch(mode=0o600)
    keyfile.write_text("loopback" * 8)
    members = [Mongod(folder / str(index), keyfile, options, tls) for index in range(number)]
    try:
        for member in members:
            member.hello()
        yield members
    finally:
        for member in members:
            member.kill()
            shutil.rmtree(member.folder / "db")  # pytest keeps the rest, for debugging


def initiate(first: Mongod, *others: Mongod, **settings: Any) -> None:
    """Make a replica set of these members, with ``first`` as its primary, and create the administrator.

    Heartbeats are ten times as frequent as by default, so that tests wait less.
    """
    config: dict[str, Any] = {
        "_id": NAME,
        "members": [{"_id": 0, "host": first.host, "priority": 2}],
        "settings": {"heartbeatIntervalMillis": 200, "electionTimeoutMillis": 2000, **settings},
    }
    with first.client() as client:
        client.admin.command("replSetInitiate", config)
        until(lambda: client.admin.command("hello")["isWritablePrimary"])
        client.admin.command("createUser", "admin", pwd=ADMIN_PASSWORD, roles=list(ADMIN_ROLES))
    config["members"] += [{"_id": number, "host": other.host} for number, other in enumerate(others, 1)]
    # With force, because otherwise members can only be added one by one.
    first.admin("replSetReconfig", {**config, "version": 2}, force=True)
    until(lambda: all(first.state(other.host) == "SECONDARY" for other in others))
    until(lambda: all(first.host == other.hello().get("primary") for other in others))


def until(condition: Callable[[], Any]) -> Any:
    """Return the first true value of ``condition``, which is polled."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            if value := condition():
                return value
        except PyMongoError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"not true after {SECONDS} s")


def primary(*members: Mongod) -> Mongod:
    """Return the primary, as soon as there is one."""
    return until(lambda: next((member for member in members if member.hello()["isWritablePrimary"]), None))


def voters(member: Mongod) -> dict[str, tuple[int, float]]:
    """Return each member's votes and priority in the configuration."""
    config = member.admin("replSetGetConfig")["config"]
    return {each["host"]: (each["votes"], each["priority"]) for each in config["members"]}


def uri(user: str, password: str, database: str, *members: Mongod, name: str = NAME) -> str:
    """Return a connection string in the form that the deployment uses."""
    hosts = ",".join(member.host for member in members)
    return f"mongodb://{user}:{password}@{hosts}/{database}?replicaSet={name}"


def logins(*members: Mongod, admin: str = ADMIN_PASSWORD, service: str = SERVICE_PASSWORD) -> str:
    """Return the logins that the commands read from standard input."""
    return f"{uri('admin', admin, 'admin', *members)}\n{uri('vault', service, 'vault', *members)}\n"


def command(local: Mongod, action: str, *arguments: str, stdin: str | None = None) -> tuple[int, str]:
    """Run ``python -m service mongo …`` for ``local``; return its exit code and its output.

    By default the logins contain only ``local``.
    """
    tls = {}
    if local.tls:
        tls = {
            "MONGO_TLS_CA_FILE": local.tls.ca_file,
            "MONGO_TLS_CERT_FILE": str(local.tls.certificate_file),
        }
    given = logins(local) if stdin is None else stdin
    finished = run_module(
        "service",
        *("mongo", action, "--local", local.host, *arguments),
        environment=tls,
        stdin=given.encode(),
    )
    # What it did comes before why it ended.
    output = (finished.stdout + finished.stderr).decode()
    # In every test: the output contains no password.
    assert "hunter" not in output
    return finished.returncode, output


def setup(
    *members: Mongod | str, local: Mongod, options: Sequence[str] = (), stdin: str | None = None
) -> tuple[int, str]:
    """Run ``mongo setup`` for ``local``; a string is a member with its priority."""
    hosts = [member.host if isinstance(member, Mongod) else member for member in members]
    arguments = [argument for host in hosts for argument in ("--member", host)]
    return command(local, "setup", *arguments, *options, stdin=stdin)
