"""The server that the clients call."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from service.dev.mongod import EmbeddedMongo
from tests import databases
from tests.calls import APPROLE
from tests.certificates import Authority
from tests.clients.wire import Wire
from tests.conftest import variables
from tests.gunicorn_server import Server


@pytest.fixture(scope="module")
def standing_door(
    mongo: EmbeddedMongo,
    mongo_client: MongoClient,
    authority: Authority,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """A server with TLS that demands tokens, for all tests of a file."""
    databases.empty(mongo_client, indexed=False)
    file = str(authority.issue("door"))
    # Another process would take a revoked token for up to five seconds.
    own = {"WORKERS": "1", "AUTH_REQUIRED": "true", "AUTH_FAILURES_PER_MINUTE": "1000"}
    server = Server(
        variables(mongo) | own | {"TLS_CERT_FILE": file, "TLS_KEY_FILE": file},
        tmp_path_factory.mktemp("door") / "log",
        authority.file,
    )
    try:
        server.wait_until()
        yield server
    finally:
        server.stop()


@pytest.fixture
def database(standing_door: Server, mongo_client: MongoClient) -> Database:
    """The service's database, with nothing that an earlier test left; the server goes on running."""
    return databases.empty_beside_servers(mongo_client)


@pytest.fixture
def door(standing_door: Server, database: Database) -> Server:
    """The server, with no secret and no token yet."""
    return standing_door


@pytest.fixture
def client(door: Server, give: Callable[..., str]) -> Callable[..., Wire]:
    """Return a function that makes a client with a token that has these scopes."""
    return lambda *scopes, **request: Wire(door, give(*scopes, **request))


@pytest.fixture
def make_role(door: Server, give: Callable[..., str]) -> Callable[..., tuple[str, str]]:
    """Return a function that makes an AppRole with these scopes: its role id and a secret id."""
    authorized = {"Authorization": f"Bearer {give('admin')}"}

    def make(name: str, *scopes: str) -> tuple[str, str]:
        role = door.post(APPROLE + "create", {"name": name, "scopes": scopes}, headers=authorized).json()
        made = door.post(APPROLE + "secret-id/create", {"role": name}, headers=authorized).json()
        return role["role_id"], made["secret_id"]

    return make
