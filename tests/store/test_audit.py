"""store.audit: a record is there once, or the caller learns that it is not."""

from datetime import UTC, datetime

import pytest
from pymongo.database import Database

from service.audit.chain import AuditKeys, Head, Link, link
from service.dev.mongod import EmbeddedMongo
from service.errors import StoreUnavailable
from service.models import AuditRecord, Status
from service.store.store import Store

KEYS = AuditKeys.of(bytes(32))


@pytest.fixture
def store(mongo: EmbeddedMongo, database: Database) -> Store:
    """A store on the empty database."""
    return Store(mongo.uri, 5)


def record(request_id: str = "r") -> AuditRecord:
    """Return some record."""
    return AuditRecord(
        datetime(2026, 1, 31, tzinfo=UTC),
        "fetch",
        None,
        "192.0.2.1",
        Status.SUCCESS,
        "anonymous",
        request_id,
        None,
    )


def links(*records: AuditRecord) -> list[Link]:
    """Return the records as the beginning of a chain."""
    return link(KEYS, Head("0" * 24), records)


def test_writes_every_field(store: Store, database: Database) -> None:
    """The document holds what the record says, the time as a date, and its place in the chain."""
    (one,) = links(record())
    assert store.audit.append([one], 5)

    (document,) = database.audit_logs.find()
    assert {
        "_id": f"{'0' * 24}:000000000000",
        "timestamp": datetime(2026, 1, 31, tzinfo=UTC),
        "operation": "fetch",
        "secret_id": None,
        "client_ip": "192.0.2.1",
        "status": "success",
        "actor": "anonymous",
        "request_id": "r",
        "reason": None,
        "path": None,
        "token_id": None,
        "previous": bytes(32),
        "mac": one.mac,
    } == document


def test_no_place_is_taken_twice(store: Store, database: Database) -> None:
    """Who comes second is told, and what is behind a place that is taken is not written."""
    assert store.audit.append(links(record("first")), 5)

    assert not store.audit.append(links(record("other"), record("second")), 5)

    assert ["first"] == [found["request_id"] for found in database.audit_logs.find()]


def test_tells_when_a_record_is_refused(store: Store, database: Database, nothing_yet: None) -> None:
    """A collection that takes no such document is an unavailable log, not a lost record."""
    database.create_collection("audit_logs", validator={"never": {"$exists": True}})

    with pytest.raises(StoreUnavailable, match="BulkWriteError"):
        store.audit.append(links(record()), 5)
    with pytest.raises(StoreUnavailable):
        store.audit.check_writable()


def test_trying_leaves_no_trace(store: Store, database: Database, nothing_yet: None) -> None:
    """Readiness asks whether the log can be written, every few seconds, and leaves nothing in it."""
    database.create_collection("audit_logs")

    store.audit.check_writable()

    assert 0 == database.audit_logs.count_documents({})
