"""keys.default_database: an empty database is not begun while the data of these keys is in ``vault``."""

from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient
from pymongo import MongoClient
from pymongo.database import Database

from service.dev.mongod import EmbeddedMongo
from service.errors import ConfigurationError
from service.keys.default_database import require_not_instead
from service.store.store import Store
from tests.calls import CREATE, FETCH, post
from tests.commands.operator import operate
from tests.conftest import make_ring
from tests.gunicorn_server import Server

MASTER_KEY_OF_OTHERS = b"\xff" * 32


@pytest.fixture
def other(mongo: EmbeddedMongo, mongo_client: MongoClient, database: Database) -> Iterator[str]:
    """The URI of an empty database ``production`` beside ``vault``."""
    yield mongo.uri.replace("/?", "/production?")
    mongo_client.drop_database("production")


@pytest.fixture
def in_vault(client: FlaskClient) -> str:
    """The id of a secret in ``vault``."""
    return post(client, CREATE, {"secret": "YQ==", "path": "a"}).json["secret_id"]


def check(uri: str, primary: bytes) -> None:
    """Check as a start with this key does."""
    store = Store(uri, 20)
    try:
        require_not_instead(store.default_database, make_ring(primary))
    finally:
        store.close()


def test_two_services_with_one_key_do_not_see_each_others_secrets(
    in_vault: str, other: str, make_client: Callable[..., FlaskClient], mongo_client: MongoClient
) -> None:
    """Each uses the database that its URI names."""
    elsewhere = make_client(MONGO_URI=other)

    assert 404 == post(elsewhere, FETCH, {"path": "a"}).status_code
    assert 200 == post(elsewhere, CREATE, {"secret": "Yg==", "path": "a"}).status_code
    assert 1 == mongo_client["production"].secrets.count_documents({})
    assert 1 == mongo_client["production"].audit_logs.count_documents({"operation": "create"})
    assert in_vault == mongo_client["vault"].secrets.find_one()["_id"]


def test_a_start_is_refused_if_the_data_is_in_vault(
    in_vault: str,
    other: str,
    environment: dict[str, str],
    refuse: Callable[..., str],
    mongo_client: MongoClient,
) -> None:
    """Earlier versions put it there; nothing is created in the database that the URI names."""
    line = refuse(MONGO_URI=other)

    assert (
        "MONGO_URI names the database production, which is empty, but vault on the same server has data"
        in line
    )
    assert "write /vault there, and authSource=production if that is where the user is stored" in line
    assert [] == mongo_client["production"].list_collection_names()


@pytest.mark.parametrize(
    "arguments",
    [
        ("token", "create", "--name", "x", "--scope", "admin"),
        ("key", "status"),
        ("backup", "create"),
        ("audit", "verify"),
    ],
    ids=" ".join,
)
def test_so_is_a_command(
    in_vault: str,
    other: str,
    environment: dict[str, str],
    mongo_client: MongoClient,
    arguments: tuple[str, ...],
) -> None:
    """A backup of the empty database would in time replace those of the full one."""
    finished = operate(environment | {"MONGO_URI": other}, *arguments)

    assert (2, b"") == (finished.returncode, finished.stdout)
    assert b"which is empty, but vault on the same server has data" in finished.stderr
    assert [] == mongo_client["production"].list_collection_names()


def test_a_backup_moves_the_data(
    in_vault: str,
    other: str,
    environment: dict[str, str],
    make_client: Callable[..., FlaskClient],
    serve: Callable[..., Server],
) -> None:
    """A restore is allowed, and then the start."""
    backup = operate(environment, "backup", "create").stdout
    restored = operate(environment | {"MONGO_URI": other}, "backup", "restore", "-", stdin=backup)

    assert 0 == restored.returncode, restored.stderr
    server = serve(MONGO_URI=other)
    server.wait_until()
    assert "YQ==" == server.fetch(in_vault).json()["secret"]


def test_data_of_other_keys_is_not_ours(in_vault: str, other: str) -> None:
    """Another installation may use ``vault`` on the same server."""
    check(other, MASTER_KEY_OF_OTHERS)


def test_data_without_a_canary_is_ours(in_vault: str, other: str, database: Database) -> None:
    """The first implementation made none; and whose the data is cannot be told from an altered one."""
    database.meta.update_one({"_id": "canary"}, {"$unset": {"payload": True}})
    with pytest.raises(ConfigurationError, match="has data under"):
        check(other, MASTER_KEY_OF_OTHERS)

    database.meta.delete_one({"_id": "canary"})
    with pytest.raises(ConfigurationError, match="has data under"):
        check(other, MASTER_KEY_OF_OTHERS)
