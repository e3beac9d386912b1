"""audit.writer: whatever happens to its writes, a chain has no gap.

The log is a double in front of the real one: a real database cannot be made to fail at one exact write.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

import pytest
from pymongo.database import Database

from service.audit.chain import AuditKeys, Head, Link
from service.audit.writer import ChainWriter, follow
from service.errors import StoreUnavailable
from service.models import AuditRecord, Status, now
from service.store.store import Store

KEYS = AuditKeys.of(bytes(32))


def record(request_id: str) -> AuditRecord:
    """Return a record."""
    return AuditRecord(now(), "fetch", None, "192.0.2.1", Status.SUCCESS, "anonymous", request_id, None)


class Failing:
    """Passes on the first records of one write and then fails; works again afterwards."""

    def __init__(self, store: Store) -> None:
        self.log = store.audit
        self.written: int | None = None

    def append(self, links: Sequence[Link], seconds: float) -> bool:
        if self.written is None:
            return self.log.append(links, seconds)
        if self.written:
            self.log.append(links[: self.written], seconds)
        self.written = None
        raise StoreUnavailable("outcome unknown")

    def records_after(self, head: Head, seconds: float) -> Iterable[Mapping[str, object]]:
        return self.log.records_after(head, seconds)


def heads(database: Database) -> list[tuple[Head, list[str]]]:
    """Verify the chains in the database; return the head of each, and its request ids."""
    found: dict[str, tuple[Head, list[str]]] = {}
    for document in database.audit_logs.find().sort("_id"):
        writer = document["_id"].split(":")[0]
        head, recorded = found.get(writer, (Head(writer), []))
        found[writer] = (follow(KEYS, head, document), [*recorded, document["request_id"]])
    return [(head, [name for name in recorded if name != head.writer]) for head, recorded in found.values()]


@pytest.mark.parametrize("written", [0, 1, 2, 3])
@pytest.mark.parametrize("begun", [False, True])
def test_continues_after_a_write_with_an_unknown_outcome(
    store: Store, database: Database, written: int, begun: bool
) -> None:
    """After what was written: none of the records, the first of them, or all."""
    failing = Failing(store)
    writer = ChainWriter(failing, lambda: KEYS)
    if begun:
        writer.append([record("a")], 5)
    failing.written = written
    with pytest.raises(StoreUnavailable):
        writer.append([record("b"), record("c")], 5)
    writer.append([record("d")], 5)
    writer.close(5)

    ((head, recorded),) = heads(database)
    assert head.closed
    expected = (["a"] if begun else []) + ["b", "c"][: max(written - (not begun), 0)] + ["d"]
    assert expected == recorded


def test_a_write_that_the_driver_retries_is_stored_once(store: Store, database: Database) -> None:
    """The second attempt finds its ids taken by the first one."""
    writer = ChainWriter(store.audit, lambda: KEYS)
    writer.append([record("a")], 5)

    class Repeating(Failing):
        def append(self, links: Sequence[Link], seconds: float) -> bool:
            self.log.append(links, seconds)
            return self.log.append(links, seconds)

    writer._log = Repeating(store)
    writer.append([record("b"), record("c")], 5)

    ((_, recorded),) = heads(database)
    assert ["a", "b", "c"] == recorded


def test_begins_another_chain_if_its_own_was_closed_or_altered(store: Store, database: Database) -> None:
    """No request fails because of it."""
    writer = ChainWriter(store.audit, lambda: KEYS)
    writer.append([record("a")], 5)
    first = writer.name
    database.audit_logs.insert_one({"_id": f"{first}:000000000002", "request_id": "forged"})

    writer.append([record("b")], 5)

    assert first != writer.name
    database.audit_logs.delete_one({"request_id": "forged"})
    assert [["a"], ["b"]] == sorted(recorded for _, recorded in heads(database))


def test_a_fork_begins_its_own_chain(
    store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parent continues its own chain."""
    writer = ChainWriter(store.audit, lambda: KEYS)
    writer.append([record("a")], 5)
    parent = writer.name
    # Forking a process with a client in it would test the driver.
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert writer.name is None

    writer.append([record("b")], 5)

    assert writer.name not in (None, parent)
    assert [["a"], ["b"]] == sorted(recorded for _, recorded in heads(database))


def test_closes_only_a_chain_that_was_begun(store: Store, database: Database) -> None:
    """A process that recorded nothing leaves nothing."""
    ChainWriter(store.audit, lambda: KEYS).close(5)

    assert 0 == database.audit_logs.count_documents({})
