"""store.database: guarantees that no URI can weaken, and the database that a URI names."""

import pytest

from service.dev.mongod import EmbeddedMongo
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


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("", "vault"),
        ("/", "vault"),
        ("/?replicaSet=rs", "vault"),
        ("/vault?authSource=production", "vault"),
        ("/production", "production"),
        ("/production?authSource=admin", "production"),
        # There the user is stored, and nothing of the service's may be.
        ("/admin", "vault"),
        ("/config?replicaSet=rs", "vault"),
        ("/local", "vault"),
    ],
)
def test_uses_the_database_that_the_uri_names(path: str, name: str) -> None:
    """Unless it names none, or one of MongoDB's own."""
    with connection.connect(f"mongodb://u:hunter2@localhost{path}", 1) as client:
        assert name == connection.database(client).name
