"""store.database: guarantees that no URI can weaken, and a start that gives up in time."""

import subprocess
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from service.dev.mongod import EmbeddedMongo, find_mongod
from service.errors import ConfigurationError
from service.store import database as connection
from service.store.store import Store


@pytest.mark.parametrize(
    "uri",
    ["db.example.org:port", "mongodb://", "mongodb://user:hunter2:x@db", "mongodb://u:hunter2@db:99999"],
)
def test_refuses_an_invalid_uri(uri: str) -> None:
    """The message shows the expected form, and nothing of the password that was given."""
    with pytest.raises(ConfigurationError, match="MONGO_URI is not a usable") as caught:
        Store(uri, 1)

    assert "hunter2" not in str(caught.value)


def test_a_uri_cannot_weaken_the_guarantees(mongo: EmbeddedMongo) -> None:
    """Majority, journal, primary, even if the URI says otherwise."""
    uri = mongo.uri + "&w=1&journal=false&readConcernLevel=local&readPreference=nearest&retryWrites=false"
    with connection.connect(uri, 5) as client:
        database = connection.database(client)

        assert database.write_concern.document == {"w": "majority", "j": True}
        assert database.read_concern.level == "majority"
        assert database.read_preference.mongos_mode == "primary"
        assert client.options.retry_writes


def test_waits_for_a_database_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """It logs progress while it waits, then raises an error that says what to check."""
    with pytest.raises(ConfigurationError, match=r"not reachable for 3 s .*check MONGO_URI"):
        Store("mongodb://127.0.0.1:9", 1).wait_until_usable(3)

    assert any("waiting for MongoDB" in message for message in caplog.messages)


def test_refuses_wrong_credentials_at_once(mongo: EmbeddedMongo) -> None:
    """Waiting does not help if the password is wrong."""
    uri = mongo.uri.replace("mongodb://", "mongodb://user:hunter2@")

    with pytest.raises(ConfigurationError, match="rejects the user or the password") as caught:
        Store(uri, 2).wait_until_usable(60)

    assert "hunter2" not in str(caught.value)


@pytest.mark.database
def test_refuses_a_server_without_a_replica_set(tmp_path: Path) -> None:
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
            with pytest.raises(ConfigurationError, match=r"not part of a replica set.*--replSet"):
                Store(f"mongodb://{quote_plus(str(socket))}", 2).wait_until_usable(60)
        finally:
            process.terminate()
