"""store.indexes: the database gets the declared indexes, whatever it had before."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from service.dev.mongod import EmbeddedMongo
from service.store import indexes

pytestmark = pytest.mark.usefixtures("nothing_yet")

DAY = 86_400


def expiry(database: Database) -> float | None:
    """Return the expiry of the index on the audit log's timestamp."""
    (found,) = [index for index in database.audit_logs.list_indexes() if list(index["key"]) == ["timestamp"]]
    seconds: float | None = found.get("expireAfterSeconds")
    return seconds


def test_creates_what_is_missing_and_says_so_once(database: Database) -> None:
    """The first run creates the indexes, the second has nothing to do."""
    first = indexes.reconcile(database, indexes.declared(30))

    assert [
        "audit_logs: index timestamp_1: created with an expiry of 30 days",
        "audit_logs: index secret_id_1_timestamp_-1: created",
        "audit_logs: index actor_1_timestamp_-1: created",
        "audit_logs: index client_ip_1_timestamp_-1: created",
        "audit_logs: index operation_1_timestamp_-1: created",
        "audit_logs: index path_1_timestamp_-1: created",
        "audit_logs: index new_path_1_timestamp_-1: created",
        "audit_logs: index service_1_timestamp_-1: created",
        "audit_logs: index task_id_1_timestamp_-1: created",
        "audit_logs: index node_id_1_timestamp_-1: created",
        "audit_logs: index secret_id_1_version_1_service_1_timestamp_-1: created",
        "audit_logs: index status_1_timestamp_-1: created",
        "secrets: index path_1: created",
        "secrets: index former_path_1_destroyed_at_-1: created",
        "secrets: index ends_at_1: created with an expiry of 0 days",
        "secrets: index shelf_1_path_1__id_1: created",
        "secrets: index shelf_1_owner_1__id_1: created",
        "secrets: index shelf_1_labels_1_path_1: created",
        "secrets: index versions.data_key_1: created",
        "secrets: index tag_1: created",
        "tokens: index tag_1: created",
        "tokens: index created_by_1: created",
        "tokens: index makers_1: created",
        "tokens: index ended_at_1: created with an expiry of 30 days",
        "tokens: index scopes_1_ended_at_1: created",
        "sessions: index tag_1: created",
        "sessions: index token_id_1__id_1: created",
        "sessions: index ended_at_1: created with an expiry of 1 days",
        "shares: index tag_1: created",
        "shares: index created_by_1_created_at_-1__id_-1: created",
        "shares: index ended_at_1: created with an expiry of 30 days",
        "grants: index tag_1: created",
        "grants: index ended_at_1: created with an expiry of 30 days",
        "approles: index live_name_1: created",
        "approle_secret_ids: index role_id_1__id_1: created",
        "approles: index tag_1: created",
        "approles: index makers_1: created",
        "approles: index ended_at_1: created with an expiry of 30 days",
        "approle_secret_ids: index tag_1: created",
        "approle_secret_ids: index makers_1: created",
        "approle_secret_ids: index ended_at_1: created with an expiry of 30 days",
        "attempts: index ended_at_1: created with an expiry of 0 days",
    ] == first
    assert indexes.reconcile(database, indexes.declared(30)) == []
    assert expiry(database) == 30 * DAY


def test_changes_the_expiry_in_every_direction(database: Database) -> None:
    """To another number of days, to none, and back."""
    indexes.reconcile(database, indexes.declared(0))
    assert expiry(database) is None

    for before, after in (("none", 30), ("30 days", 7), ("7 days", 0), ("none", 1)):
        now = f"{after} days" if after else "none"
        assert [f"audit_logs: index timestamp_1: expiry changed from {before} to {now}"] == (
            indexes.reconcile(database, indexes.declared(after))
        )
        assert (after * DAY or None) == expiry(database)


def test_check_changes_nothing(database: Database) -> None:
    """It returns what would be done, and the database stays as it was."""
    assert 42 == len(indexes.reconcile(database, indexes.declared(30), check=True))
    assert database.list_collection_names() == []

    indexes.reconcile(database, indexes.declared(30))
    assert ["audit_logs: index timestamp_1: expiry changed from 30 days to 7 days"] == indexes.reconcile(
        database, indexes.declared(7), check=True
    )
    assert expiry(database) == 30 * DAY


def test_finds_an_index_by_its_keys_whatever_its_name(database: Database) -> None:
    """An index that somebody else created is corrected, not duplicated."""
    database.audit_logs.create_index("timestamp", name="theirs", expireAfterSeconds=60)

    assert (
        "audit_logs: index timestamp_1: expiry changed from 0.000694444 days to 30 days"
        == (indexes.reconcile(database, indexes.declared(30))[0])
    )
    assert expiry(database) == 30 * DAY


def test_makes_an_index_unique_that_is_not(database: Database) -> None:
    """Otherwise two secrets could have the same path; documents without a path are left out."""
    database.secrets.create_index("path")
    database.secrets.insert_many([{}, {}])

    assert "secrets: index path_1: made unique" in indexes.reconcile(database, indexes.declared(0))
    assert database.secrets.index_information()["path_1"]["unique"]
    assert [] == indexes.reconcile(database, indexes.declared(0))


def test_leaves_undeclared_indexes_alone(database: Database) -> None:
    """An operator may add indexes."""
    database.audit_logs.create_index("client_ip")

    indexes.reconcile(database, indexes.declared(30))

    assert "client_ip_1" in database.audit_logs.index_information()


def test_replicas_may_start_together(mongo: EmbeddedMongo, database: Database) -> None:
    """Several processes reconcile at the same time, from every state, and none of them fails."""

    def reconcile(client: MongoClient, days: int) -> None:
        indexes.reconcile(client["vault"], indexes.declared(days))

    clients = [MongoClient(mongo.uri) for _ in range(6)]
    try:
        for days in (30, 0, 7, 0, 1):
            with ThreadPoolExecutor(len(clients)) as pool:
                list(pool.map(reconcile, clients, [days] * len(clients)))
            assert (days * DAY or None) == expiry(database)
    finally:
        for client in clients:
            client.close()


@pytest.mark.timeout(150)
def test_expired_records_really_go(database: Database) -> None:
    """The TTL monitor removes what is older than the expiry, and nothing else."""
    indexes.reconcile(database, indexes.declared(1))
    now = datetime.now(UTC)
    database.audit_logs.insert_many(
        [{"_id": "old", "timestamp": now - timedelta(days=2)}, {"_id": "young", "timestamp": now}]
    )

    end = time.monotonic() + 120
    while database.audit_logs.count_documents({}) > 1 and time.monotonic() < end:
        time.sleep(0.2)

    assert ["young"] == [record["_id"] for record in database.audit_logs.find()]
