"""store.secrets: a document is read as it was written, or reported as altered."""

import base64
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.database import Database

from service.dev.mongod import EmbeddedMongo
from service.errors import PathTaken, SecretHidden, SecretNotFound, StoreUnavailable, Tampered, TooLarge
from service.models import AccessFilter, Envelope
from service.records import LegacyValue, Secret, Version
from service.store.indexes import declared, reconcile
from service.store.secret_queries import SecretRef
from service.store.secrets import SecretStore
from service.store.store import Store

NOW, DAY = datetime(2026, 1, 31, tzinfo=UTC), timedelta(days=1)


def version(number: int) -> Version:
    """Return a version with a value."""
    return Version(number, NOW, Envelope(b"\x01payload", b"\x01key"))


SECRET = Secret("id", 1, (version(1),), NOW)
# No field has its default.
FULL = Secret(
    secret_id="id",
    current=3,
    versions=(
        Version(2, NOW, None, "ann", NOW + DAY, NOW, "bob", NOW + 2 * DAY, "carl"),
        version(3),
    ),
    created_at=NOW,
    created_by="ann",
    updated_at=NOW + DAY,
    path="team/app",
    former_path="team/app",
    owner="0123456789abcdef",
    tag=b"tag",
    labels=(("a", "1"), ("b", "2")),
    max_versions=7,
    cas_required=True,
    delete_version_after=60,
    expires_at=NOW + 2 * DAY,
    deleted_at=NOW + 3 * DAY,
    deleted_by="bob",
    destroyed_at=NOW + 4 * DAY,
    destroyed_by="carl",
    max_reads=5,
    reads_left=4,
    read_at=NOW + 5 * DAY,
    read_from="192.0.2.7",
    read_by="dora",
)

ID, ALL = SecretRef("id"), AccessFilter(everything=True)


@pytest.fixture
def secrets(mongo: EmbeddedMongo, database: Database) -> SecretStore:
    """The collection, empty."""
    return Store(mongo.uri, 20).secrets


@pytest.mark.parametrize("kept", [SECRET, FULL], ids=["plain", "full"])
def test_finds_what_was_inserted(secrets: SecretStore, kept: Secret) -> None:
    """Every field comes back as it was."""
    secrets.insert(kept, None)

    assert {ID: kept} == secrets.find_whole([ID, SecretRef("other")], ALL)


def test_no_field_is_forgotten() -> None:
    """The test above would not notice a field that has its default."""
    assert [] == [
        one.name
        for one in fields(Secret)
        if one.name != "revision" and getattr(FULL, one.name) == one.default
    ]


def test_a_document_of_an_earlier_version_of_this_service_is_a_secret(
    secrets: SecretStore, database: Database
) -> None:
    """Fields that it did not write have their defaults."""
    database.secrets.insert_one(
        {
            "_id": "id",
            "current": 1,
            "versions": [
                {"version": 1, "payload": b"\x01payload", "data_key": b"\x01key", "created_at": NOW}
            ],
            "created_at": NOW,
        }
    )

    assert {ID: SECRET} == secrets.find_whole([ID], ALL)


def test_finds_the_value_that_is_asked_for_and_no_other(secrets: SecretStore) -> None:
    """The current one, an older one, or none: values may be large."""
    secrets.insert(replace(SECRET, current=3, versions=(version(1), version(2), version(3))), None)

    def with_values(found: dict[SecretRef, Secret | Tampered]) -> list[int]:
        return [
            one.version
            for one in found[ID].versions
            if isinstance(one.sealed, Envelope) and one.sealed.payload is not None
        ]

    assert [3] == with_values(secrets.find_with_value([ID], ALL, None))
    assert [2] == with_values(secrets.find_with_value([ID], ALL, 2))
    assert [] == with_values(secrets.find_with_value([ID], ALL, 4))
    assert [] == with_values(secrets.find_without_values([ID], ALL))
    assert [1, 2, 3] == [one.version for one in secrets.find_without_values([ID], ALL)[ID].versions]


def test_finds_any_secret_for_the_key_ring_check(secrets: SecretStore) -> None:
    """Any one that has a value; None if there is none."""
    assert secrets.find_any() is None
    secrets.insert(replace(SECRET, secret_id="a", destroyed_at=NOW), None)
    secrets.insert(replace(SECRET, secret_id="b", path="without/value", current=0, versions=()), None)
    assert secrets.find_any() is None
    secrets.insert(SECRET, None)
    assert secrets.find_any() == SECRET


def test_reads_a_document_of_an_earlier_implementation(secrets: SecretStore, database: Database) -> None:
    """With or without a creation time."""
    ciphertext = base64.b64encode(b"c" * 30).decode()
    created = datetime(2024, 1, 31, tzinfo=UTC)
    database.secrets.insert_many(
        [
            {"_id": "a", "ciphertext": ciphertext, "created_at": created},
            {"_id": "b", "ciphertext": ciphertext},
        ]
    )

    legacy = LegacyValue(b"c" * 30)
    assert {
        SecretRef("a"): Secret("a", 1, (Version(1, created, legacy),), created),
        SecretRef("b"): Secret("b", 1, (Version(1, None, legacy),), None),
    } == secrets.find_with_value([SecretRef("a"), SecretRef("b")], ALL, None)


def test_swaps_only_if_unchanged(secrets: SecretStore, database: Database) -> None:
    """Of two writers, the second gets False and has changed nothing."""
    secrets.insert(SECRET, None)

    assert secrets.swap(SECRET, replace(FULL, secret_id="id", revision=1), NOW)
    assert not secrets.swap(SECRET, replace(SECRET, path="lost", revision=1), None)

    (found,) = secrets.find_whole([ID], ALL).values()
    assert replace(FULL, revision=1) == found
    assert NOW == database.secrets.find_one()["ends_at"]
    assert secrets.swap(found, replace(SECRET, revision=2), None)
    assert {"_id", "current", "versions", "created_at", "revision"} == database.secrets.find_one().keys()


def test_sends_what_has_changed_and_leaves_the_rest(secrets: SecretStore, database: Database) -> None:
    """Fields of another version of this service stay, and values are not sent again."""
    secrets.insert(SECRET, None)
    database.secrets.update_one({}, {"$set": {"later": 1, "versions.0.payload": b"\x01other"}})

    assert secrets.swap(SECRET, replace(SECRET, expires_at=NOW), NOW)

    stored = database.secrets.find_one()
    assert (1, b"\x01other", NOW) == (stored["later"], stored["versions"][0]["payload"], stored["expires_at"])


def test_a_value_of_an_earlier_implementation_leaves_its_old_place(
    secrets: SecretStore, database: Database
) -> None:
    """Afterwards it is among the versions, and nowhere else."""
    database.secrets.insert_one({"_id": "id", "ciphertext": base64.b64encode(b"c" * 30).decode()})
    (legacy,) = secrets.find_whole([ID], ALL).values()

    assert secrets.swap(legacy, SECRET, None)

    assert {ID: SECRET} == secrets.find_whole([ID], ALL)
    assert "ciphertext" not in database.secrets.find_one()


def test_a_secret_larger_than_a_document_is_refused(secrets: SecretStore) -> None:
    """Larger than MongoDB stores, and larger than the driver sends; the message says what to do."""
    large = Version(1, NOW, Envelope(b"x" * 7 * 2**20, b"key"))
    both = replace(SECRET, current=2, versions=(large, replace(large, version=2)))
    secrets.insert(both, None)
    for more in (1, 5):
        added = tuple(replace(large, version=3 + number) for number in range(more))
        with pytest.raises(TooLarge, match="lower max_versions"):
            secrets.swap(both, replace(both, current=2 + more, versions=both.versions + added), None)

    assert {ID: both} == secrets.find_whole([ID], ALL)


def test_removes_ended_secrets(secrets: SecretStore, database: Database) -> None:
    """Only at the given path, and only after its end."""
    secrets.insert(with_path("1", "a"), NOW)
    secrets.insert(with_path("2", "b"), NOW)
    secrets.insert(with_path("3", "c"), None)

    assert not secrets.remove_ended(["a", "c"], NOW - DAY)
    assert secrets.remove_ended(["a", "c"], NOW)
    assert ["2", "3"] == database.secrets.distinct("_id")


def test_finds_what_was_destroyed_last_at_a_path(secrets: SecretStore) -> None:
    """Within the access filter, by its former path; it is still found by its id."""
    for secret_id, path, at in (
        ("1", "a", NOW),
        ("2", "a", NOW + DAY),
        ("3", "a", NOW - DAY),
        ("4", "b", NOW),
    ):
        secrets.insert(replace(SECRET, secret_id=secret_id, former_path=path, destroyed_at=at), None)
    names = [SecretRef("a", is_path=True), SecretRef("b", is_path=True), SecretRef("c", is_path=True)]

    def destroyed(access: AccessFilter) -> dict[SecretRef, str]:
        found = secrets.find_missing(names, access)
        return {ref: one.secret_id for ref, one in found.items() if isinstance(one, Secret)}

    assert {names[0]: "2"} == destroyed(AccessFilter(paths=("a",)))
    assert {names[0]: "2", names[1]: "4"} == destroyed(ALL)
    assert {SecretRef("3")} == secrets.find_whole([SecretRef("3"), *names], AccessFilter(paths=("a",))).keys()


def test_a_transaction_does_all_or_nothing(secrets: SecretStore, database: Database, indexed: None) -> None:
    """Earlier changes in the same transaction are undone."""

    def both(store: SecretStore, *paths: str) -> None:
        for number, path in enumerate(paths):
            store.insert(with_path(f"{path} {number}", path), None)

    secrets.in_transaction(lambda store: both(store, "a", "b"))
    with pytest.raises(PathTaken):
        secrets.in_transaction(lambda store: both(store, "c", "a"))

    assert ["a", "b"] == database.secrets.distinct("path")


def test_a_transaction_is_retried_after_a_conflict(secrets: SecretStore) -> None:
    """The driver sees its own error and runs the whole transaction again."""
    secrets.insert(SECRET, None)
    tried = []

    def change(store: SecretStore) -> bool:
        (before,) = store.find_whole([ID], ALL).values()
        tried.append(before.revision)
        if len(tried) == 1:
            assert secrets.swap(before, replace(before, path="theirs", revision=1), None)
        return store.swap(before, replace(before, owner="mine", revision=2), None)

    assert secrets.in_transaction(change)
    (found,) = secrets.find_whole([ID], ALL).values()
    assert ([None, 1], ("theirs", "mine")) == (tried, (found.path, found.owner))


def test_a_failed_transaction_is_a_domain_error(own_mongo: EmbeddedMongo) -> None:
    """Whatever the driver raises."""
    store = Store(own_mongo.uri, 1)
    store.ping()
    own_mongo.stop()

    with pytest.raises(StoreUnavailable), store.request_deadline():
        store.secrets.in_transaction(lambda inside: inside.insert(SECRET, None))
    store.close()


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
        {"versions.0.destroyed_at": 5},
        {"versions": [5]},
        {"revision": "1"},
        {"labels": ["a"]},
        {"labels": [{"k": "a", "v": 1}]},
        {"expires_at": "never"},
        {"reads_left": "many"},
        {"max_versions": None},
        {"path": ["team/app/a"]},
        {"path": 5},
        {"owner": {}},
        {"tag": 2**40},
        # A legacy record, which nothing binds to a path, with a path added.
        {"ciphertext": "aGVsbG8=", "path": "team/app/a"},
        {"ciphertext": "aGVsbG8=", "owner": "0123456789abcdef"},
    ],
    ids=str,
)
def test_an_altered_document_is_tampered_with(
    secrets: SecretStore, database: Database, altered: dict[str, Any]
) -> None:
    """Anyone who can write to the database can put anything there: it is an altered record, not a crash."""
    secrets.insert(SECRET, None)
    database.secrets.update_one({"_id": "id"}, {"$set": altered})

    with pytest.raises(Tampered):
        secrets.find_any()
    assert isinstance(secrets.find_with_value([ID], ALL, None)[ID], Tampered)


def test_an_altered_document_hides_no_other(secrets: SecretStore, database: Database) -> None:
    """If several are requested, the others are found."""
    secrets.insert(SECRET, None)
    database.secrets.insert_one({"_id": "broken"})

    found = secrets.find_with_value([SecretRef("broken"), ID], ALL, None)

    assert SECRET == found[ID]
    assert isinstance(found[SecretRef("broken")], Tampered)


def with_path(secret_id: str, path: str | None, owner: str | None = None) -> Secret:
    """Return a secret at a path, or one that belongs to a token."""
    return replace(SECRET, secret_id=secret_id, path=path, owner=owner, tag=b"tag")


@pytest.mark.parametrize(
    ("access", "found"),
    [
        (AccessFilter(), set()),
        (ALL, {"1", "2", "3", "4", "5", "6"}),
        (AccessFilter(owner="me"), {"4"}),
        (AccessFilter(paths=("team/app",)), {"1"}),
        (AccessFilter(folders=("team/app/",)), {"2"}),
        (AccessFilter(folders=("team/",)), {"1", "2", "3"}),
        (AccessFilter(folders=("",)), {"1", "2", "3", "6"}),
        (AccessFilter(folders=("te.m/",)), set()),
        (AccessFilter(folders=("app/",)), set()),
        (AccessFilter(paths=("team/apple", "t.am")), {"3", "6"}),
        (AccessFilter(paths=("tea?",), folders=("t.am/", "team/app/"), owner="me"), {"2", "4"}),
    ],
    ids=lambda each: "".join(sorted(each)) if isinstance(each, set) else str(each),
)
def test_finds_what_the_access_filter_allows_and_nothing_else(
    secrets: SecretStore, access: AccessFilter, found: set[str]
) -> None:
    """By id and by path; similar paths do not match, and a dot matches only a dot."""
    stored = [
        with_path("1", "team/app"),
        with_path("2", "team/app/db"),
        with_path("3", "team/apple"),
        with_path("4", None, "me"),
        with_path("5", None, "somebody else"),
        with_path("6", "t.am"),
    ]
    for each in stored:
        secrets.insert(each, None)

    by_id = secrets.find_whole([SecretRef(each.secret_id) for each in stored], access)
    by_path = secrets.find_whole([SecretRef(each.path, is_path=True) for each in stored if each.path], access)

    assert found == {name.text for name in by_id}
    assert found - {"4", "5"} == {each.secret_id for each in by_path.values()}


def test_one_path_is_one_secret(secrets: SecretStore, database: Database) -> None:
    """The second insert raises PathTaken; any number of secrets may have no path."""
    reconcile(database, declared(0))
    secrets.insert(with_path("1", "team/app"), None)
    secrets.insert(with_path("2", None, "me"), None)
    secrets.insert(with_path("3", None, "me"), None)

    with pytest.raises(PathTaken):
        secrets.insert(with_path("4", "team/app"), None)
    assert 3 == database.secrets.count_documents({})


def test_reports_hidden_secrets_to_the_audit_log(secrets: SecretStore) -> None:
    """For any caller; a path does not match an id, and an id does not match a path."""
    secrets.insert(with_path("1", "team/app"), None)

    asked = [
        SecretRef("1"),
        SecretRef("team/app", is_path=True),
        SecretRef("1", is_path=True),
        SecretRef("team/app"),
        SecretRef("2"),
    ]
    found = secrets.find_missing(asked, AccessFilter())
    hidden = {ref for ref, error in found.items() if isinstance(error, SecretHidden)}
    assert {SecretRef("1"), SecretRef("team/app", is_path=True)} == hidden
    assert {SecretNotFound} == {type(found[ref]) for ref in set(asked) - hidden}
