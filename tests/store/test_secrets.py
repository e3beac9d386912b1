"""store.secrets: a document is what was written, or it is an altered one."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo.database import Database

from service.embedded import EmbeddedMongo
from service.errors import Tampered
from service.models import Envelope, LegacySecret, SealedVersion
from service.store.secrets import SecretStore
from service.store.store import Store

SEALED = SealedVersion("id", 1, Envelope(b"\x01payload", b"\x01key"), datetime(2026, 1, 31, tzinfo=UTC))


@pytest.fixture
def secrets(mongo: EmbeddedMongo, database: Database) -> SecretStore:
    """The collection, empty."""
    return Store(mongo.uri, 5).secrets


def test_finds_what_was_inserted(secrets: SecretStore) -> None:
    """Every field comes back as it was."""
    secrets.insert(SEALED)

    assert secrets.find("id") == SEALED
    assert secrets.find("other") is None


def test_finds_one_of_many_for_the_proof(secrets: SecretStore) -> None:
    """Whichever comes first; None where there is none."""
    assert secrets.find_any() is None
    secrets.insert(SEALED)
    assert secrets.find_any() == SEALED


def test_reads_a_document_of_an_earlier_implementation(secrets: SecretStore, database: Database) -> None:
    """With its creation time, and without where it has none."""
    ciphertext = base64.b64encode(b"c" * 30).decode()
    created = datetime(2024, 1, 31, tzinfo=UTC)
    database.secrets.insert_many(
        [
            {"_id": "a", "ciphertext": ciphertext, "created_at": created},
            {"_id": "b", "ciphertext": ciphertext},
        ]
    )

    assert secrets.find("a") == LegacySecret("a", b"c" * 30, created)
    assert secrets.find("b") == LegacySecret("b", b"c" * 30, None)


@pytest.mark.parametrize(
    "altered",
    [
        {"versions": []},
        {"versions": None},
        {"current": 2},
        {"current": None},
        {"versions": [{"version": 1}]},
        {"versions": [{"version": 1, "payload": "text", "data_key": 5, "created_at": None}]},
        {"versions": "text"},
        {"ciphertext": "not base64!"},
        {"ciphertext": 5},
    ],
    ids=str,
)
def test_an_altered_document_is_tampered_with(
    secrets: SecretStore, database: Database, altered: dict[str, Any]
) -> None:
    """Whoever can write to the database may put anything there: it is an altered record, not a crash."""
    secrets.insert(SEALED)
    database.secrets.update_one({"_id": "id"}, {"$set": altered})

    with pytest.raises(Tampered):
        secrets.find("id")
