"""store.audit: a record is stored exactly once, or the caller gets an error."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pymongo.database import Database

from service.audit.chain import AuditKeys, Head, Link, link
from service.dev.mongod import EmbeddedMongo
from service.errors import StoreUnavailable
from service.models import AuditRecord, Status
from service.store.audit import read
from service.store.store import Store

KEYS = AuditKeys.of(bytes(32))


@pytest.fixture
def store(mongo: EmbeddedMongo, database: Database) -> Store:
    """A store on the empty database."""
    return Store(mongo.uri, 20)


def record(request_id: str = "r") -> AuditRecord:
    """Return a record."""
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
    """The document has all fields of the record, the time as a date, and its position in the chain."""
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


def test_writes_a_delivery_and_reads_it_back(store: Store, database: Database) -> None:
    """Who had what; an altered version is none."""
    delivery = replace(
        record(),
        operation="deliver",
        grant_id="0f3a5b7c9d1e2f40",
        version=7,
        service="billing_api",
        service_id="s",
        task_id="t",
        node_id="n",
        docker_secret="db.v7",
        api="v1",
        role_id="r",
        accessor="a",
    )
    assert store.audit.append(links(delivery), 5)

    (document,) = database.audit_logs.find()
    assert delivery == read(document)
    assert delivery.fields().items() <= document.items()
    assert replace(delivery, version=None) == read(document | {"version": "7"})


def test_no_place_is_taken_twice(store: Store, database: Database) -> None:
    """The second writer gets False, and the records after a taken id are not written."""
    assert store.audit.append(links(record("first")), 5)

    assert not store.audit.append(links(record("other"), record("second")), 5)

    assert ["first"] == [found["request_id"] for found in database.audit_logs.find()]


def test_raises_when_a_record_is_rejected(store: Store, database: Database, nothing_yet: None) -> None:
    """If the collection rejects the document, the log is unavailable; the record is not lost silently."""
    database.create_collection("audit_logs", validator={"never": {"$exists": True}})

    with pytest.raises(StoreUnavailable, match="WriteError"):
        store.audit.append(links(record()), 5)
    with pytest.raises(StoreUnavailable):
        store.audit.check_writable()


def test_trying_leaves_no_trace(store: Store, database: Database, nothing_yet: None) -> None:
    """The readiness check tries every few seconds whether the log is writable, and leaves nothing in it."""
    database.create_collection("audit_logs")

    store.audit.check_writable()

    assert 0 == database.audit_logs.count_documents({})
