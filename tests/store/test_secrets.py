"""store.secrets: a document is what was written, or it is an altered one."""

import base64
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo.database import Database

from service.embedded import EmbeddedMongo
from service.errors import PathTaken, Tampered
from service.models import Envelope, LegacySecret, Reach, SealedVersion
from service.store.indexes import reconcile, wanted
from service.store.secrets import Name, SecretStore
from service.store.store import Store

SEALED = SealedVersion("id", 1, Envelope(b"\x01payload", b"\x01key"), datetime(2026, 1, 31, tzinfo=UTC))

ID, ALL = Name("id"), Reach(everything=True)


@pytest.fixture
def secrets(mongo: EmbeddedMongo, database: Database) -> SecretStore:
    """The collection, empty."""
    return Store(mongo.uri, 5).secrets


def test_finds_what_was_inserted(secrets: SecretStore) -> None:
    """Every field comes back as it was."""
    secrets.insert(SEALED)

    assert {ID: SEALED} == secrets.find([ID, Name("other")], ALL)


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

    assert {
        Name("a"): LegacySecret("a", b"c" * 30, created),
        Name("b"): LegacySecret("b", b"c" * 30, None),
    } == secrets.find([Name("a"), Name("b")], ALL)


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
        {"versions.0.payload": 5},
        {"versions.0.created_at": "now"},
        {"path": ["team/app/a"]},
        {"path": 5},
        {"owner": {}},
        {"tag": 2**40},
        # A record that no place is tied to, put where somebody looks.
        {"ciphertext": "aGVsbG8=", "path": "team/app/a"},
        {"ciphertext": "aGVsbG8=", "owner": "0123456789abcdef"},
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
        secrets.find_any()
    assert isinstance(secrets.find([ID], ALL)[ID], Tampered)


def test_an_altered_document_hides_no_other(secrets: SecretStore, database: Database) -> None:
    """Of several that are asked for, the others are found."""
    secrets.insert(SEALED)
    database.secrets.insert_one({"_id": "broken"})

    found = secrets.find([Name("broken"), ID], ALL)

    assert SEALED == found[ID]
    assert isinstance(found[Name("broken")], Tampered)


def with_path(secret_id: str, path: str | None, owner: str | None = None) -> SealedVersion:
    """Return a secret at a path, or one that belongs to a token."""
    return replace(SEALED, secret_id=secret_id, path=path, owner=owner, tag=b"tag")


@pytest.mark.parametrize(
    ("reach", "found"),
    [
        (Reach(), set()),
        (ALL, {"1", "2", "3", "4", "5", "6"}),
        (Reach(owner="me"), {"4"}),
        (Reach(paths=("team/app",)), {"1"}),
        (Reach(folders=("team/app/",)), {"2"}),
        (Reach(folders=("team/",)), {"1", "2", "3"}),
        (Reach(folders=("",)), {"1", "2", "3", "6"}),
        (Reach(folders=("te.m/",)), set()),
        (Reach(folders=("app/",)), set()),
        (Reach(paths=("team/apple", "t.am")), {"3", "6"}),
        (Reach(paths=("tea?",), folders=("t.am/", "team/app/"), owner="me"), {"2", "4"}),
    ],
    ids=lambda each: "".join(sorted(each)) if isinstance(each, set) else str(each),
)
def test_finds_what_the_reach_covers_and_nothing_else(
    secrets: SecretStore, reach: Reach, found: set[str]
) -> None:
    """By id and by path alike; what looks alike is something else, and a dot is a dot."""
    stored = [
        with_path("1", "team/app"),
        with_path("2", "team/app/db"),
        with_path("3", "team/apple"),
        with_path("4", None, "me"),
        with_path("5", None, "somebody else"),
        with_path("6", "t.am"),
    ]
    for each in stored:
        secrets.insert(each)

    by_id = secrets.find([Name(each.secret_id) for each in stored], reach)
    by_path = secrets.find([Name(each.path, is_path=True) for each in stored if each.path], reach)

    assert found == {name.text for name in by_id}
    assert found - {"4", "5"} == {each.secret_id for each in by_path.values()}


def test_one_path_is_one_secret(secrets: SecretStore, database: Database) -> None:
    """The second is told; those with no path are as many as they like."""
    reconcile(database, wanted(0))
    secrets.insert(with_path("1", "team/app"))
    secrets.insert(with_path("2", None, "me"))
    secrets.insert(with_path("3", None, "me"))

    with pytest.raises(PathTaken):
        secrets.insert(with_path("4", "team/app"))
    assert 3 == database.secrets.count_documents({})


def test_tells_the_audit_log_what_there_is(secrets: SecretStore) -> None:
    """Whoever asks; a path is no id and an id is no path."""
    secrets.insert(with_path("1", "team/app"))

    asked = [Name("1"), Name("team/app", is_path=True), Name("1", is_path=True), Name("team/app"), Name("2")]
    assert {Name("1"), Name("team/app", is_path=True)} == secrets.existing(asked)
