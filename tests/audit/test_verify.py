"""audit.verify: without the key, no change to the log in the database goes unnoticed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from pymongo.database import Database

from service.access import policy, scopes
from service.audit import checkpoints, verify
from service.audit.checkpointer import LOST_AFTER, Checkpointer, audit_log
from service.audit.findings import Finding, FindingKind, Report
from service.audit.writer import ChainWriter
from service.crypto.keyring import KeyRing
from service.errors import Forbidden, StoreUnavailable
from service.models import AuditRecord, Principal, Status, now
from service.store.store import Store
from tests.conftest import MASTER_KEY, OTHER_MASTER_KEY, make_ring

DAY = timedelta(days=1)


def record(request_id: str, at: datetime | None = None) -> AuditRecord:
    """Return a record."""
    return AuditRecord(at or now(), "fetch", "id", "192.0.2.1", Status.SUCCESS, "anonymous", request_id, None)


class Process:
    """A process that writes to the log, with its own clock."""

    def __init__(
        self, store: Store, ring: KeyRing, ttl_days: int = 0, anchor_dir: Path | None = None
    ) -> None:
        self.ahead = timedelta(0)
        made = audit_log(store, ring, 60, ttl_days, anchor_dir)
        self.log = replace(made, clock=lambda: now() + self.ahead)
        self.writer = ChainWriter(store.audit, made.key.keys)
        self.checkpointer = Checkpointer(self.log, self.writer)

    def write(self, count: int, at: datetime | None = None) -> None:
        """Append records."""
        for number in range(count):
            self.writer.append([record(f"r{number}", at)], 5)

    def checkpoint(self) -> dict[str, Any]:
        """Make a checkpoint and return it as it is logged."""
        made = self.checkpointer.run(due=True)
        assert made is not None
        return checkpoints.to_json(made)

    def verify(self, *saved: Mapping[str, Any]) -> tuple[Report, list[Finding]]:
        """Verify the log."""
        findings: list[Finding] = []
        report = verify.verify_log(self.log, policy.OPERATOR, saved, findings.append)
        assert len(findings) == sum(report.found.values())
        return report, findings

    def name(self) -> str:
        """Return the writer's name."""
        assert self.writer.name is not None
        return self.writer.name


@pytest.fixture
def process(store: Store, ring: KeyRing) -> Process:
    """A process."""
    return Process(store, ring)


@pytest.fixture
def two(store: Store, ring: KeyRing, process: Process) -> tuple[Process, Process]:
    """Two processes with ten records each, a checkpoint that covers them, and some more records."""
    other = Process(store, ring)
    process.write(10)
    other.write(10)
    process.checkpoint()
    process.write(2)
    other.write(2)
    return process, other


def test_an_unaltered_log_is_valid(two: tuple[Process, Process]) -> None:
    """With chains of running processes, and one that ended."""
    one, other = two
    other.checkpointer.end(5)

    report, findings = one.verify()

    assert [] == findings
    assert (True, 27, 2, 1, 0, 0, 2) == (
        report.valid,
        report.records,
        report.chains,
        report.open,
        report.expired,
        report.unchained,
        report.checkpoints,
    )


def test_requires_the_scope_audit(process: Process) -> None:
    """Or that of an administrator."""
    verify.verify_log(process.log, Principal("x", (scopes.parse("audit"),)), [], print)
    with pytest.raises(Forbidden):
        verify.verify_log(process.log, Principal("x", (scopes.parse("fetch:*"),)), [], print)


def _of(process: Process, seq: int) -> str:
    return f"{process.name()}:{seq:012}"


def _alter(database: Database, one: Process, other: Process) -> None:
    database.audit_logs.update_one({"_id": _of(one, 4)}, {"$set": {"client_ip": "192.0.2.2"}})


def _alter_time(database: Database, one: Process, other: Process) -> None:
    database.audit_logs.update_one(
        {"_id": _of(one, 4)}, [{"$set": {"timestamp": {"$add": ["$timestamp", 1]}}}]
    )


def _add_field(database: Database, one: Process, other: Process) -> None:
    database.audit_logs.update_one({"_id": _of(one, 4)}, {"$set": {"note": "x"}})


def _alter_mac(database: Database, one: Process, other: Process) -> None:
    database.audit_logs.update_one({"_id": _of(one, 4)}, {"$set": {"mac": bytes(32)}})


def _alter_shape(database: Database, one: Process, other: Process) -> None:
    database.audit_logs.replace_one({"_id": _of(one, 4)}, {"timestamp": 5, "mac": "x"})


def _copy(database: Database, one: Process, other: Process) -> None:
    document = database.audit_logs.find_one({"_id": _of(other, 4)})
    database.audit_logs.replace_one({"_id": _of(one, 4)}, {**document, "_id": _of(one, 4)})


def _swap(database: Database, one: Process, other: Process) -> None:
    four, five = (database.audit_logs.find_one({"_id": _of(one, seq)}) for seq in (4, 5))
    database.audit_logs.replace_one({"_id": four["_id"]}, {**five, "_id": four["_id"]})
    database.audit_logs.replace_one({"_id": five["_id"]}, {**four, "_id": five["_id"]})


def _append(database: Database, one: Process, other: Process) -> None:
    document = database.audit_logs.find_one({"_id": _of(one, 12)})
    database.audit_logs.insert_one({**document, "_id": _of(one, 13), "previous": document["mac"]})


def _insert_elsewhere(database: Database, one: Process, other: Process) -> None:
    document = database.audit_logs.find_one({"_id": _of(one, 12)})
    database.audit_logs.insert_one({**document, "_id": "zzz"})


@pytest.mark.parametrize(
    ("change", "places"),
    [
        (_alter, [4]),
        (_alter_time, [4]),
        (_add_field, [4]),
        (_alter_mac, [4]),
        (_alter_shape, [4]),
        (_copy, [4]),
        (_swap, [4, 5]),
        (_append, [13]),
        (_insert_elsewhere, ["zzz"]),
    ],
)
def test_names_what_was_altered(
    two: tuple[Process, Process],
    database: Database,
    change: Callable[[Database, Process, Process], None],
    places: list[int | str],
) -> None:
    """It reports each record that is not as it was written, and no other."""
    one, other = two
    change(database, one, other)

    _, findings = other.verify()

    expected = [place if isinstance(place, str) else _of(one, place) for place in places]
    assert [(FindingKind.ALTERED, place) for place in expected] == [
        (found.kind, found.first) for found in findings
    ]


@pytest.mark.parametrize(
    ("gone", "kind"),
    [((4, 6), FindingKind.MISSING), ((0, 1), FindingKind.MISSING), ((8, 12), FindingKind.CUT)],
)
def test_names_what_is_missing(
    two: tuple[Process, Process], database: Database, gone: tuple[int, int], kind: FindingKind
) -> None:
    """At the beginning, in the middle, and at the end, up to the last record in a checkpoint."""
    one, other = two
    ids = [_of(one, seq) for seq in range(gone[0], gone[1] + 1)]
    assert len(ids) == database.audit_logs.delete_many({"_id": {"$in": ids}}).deleted_count

    _, (finding,) = other.verify()

    known = min(gone[1], 10)
    assert (kind, _of(one, gone[0]), _of(one, known)) == (finding.kind, finding.first, finding.last)
    assert finding.before is not None


def test_the_next_record_reveals_what_was_cut_off(two: tuple[Process, Process], database: Database) -> None:
    """It leaves a gap in the numbers."""
    one, _ = two
    database.audit_logs.delete_one({"_id": _of(one, 12)})
    one.write(1)

    _, (finding,) = one.verify()

    assert (FindingKind.MISSING, _of(one, 12)) == (finding.kind, finding.first)


def test_a_stripped_record_does_not_pass_for_an_old_one(
    two: tuple[Process, Process], database: Database
) -> None:
    """It is missing in its chain, and what it was turned into is in no chain."""
    one, _ = two
    document = database.audit_logs.find_one_and_delete({"_id": _of(one, 4)})
    database.audit_logs.insert_one(
        {name: value for name, value in document.items() if name not in ("_id", "mac", "previous")}
    )

    _, findings = one.verify()

    assert [FindingKind.MISSING, FindingKind.UNCHAINED] == [finding.kind for finding in findings]


def test_records_from_before_chains_are_counted_only(store: Store, ring: KeyRing, database: Database) -> None:
    """Including those that an older replica writes during an update; later ones are findings."""
    times = [now() - DAY, now(), now() + 2 * timedelta(hours=1)]
    database.audit_logs.insert_many(
        [{"_id": ObjectId(), "timestamp": at, "operation": "fetch"} for at in times]
    )
    process = Process(store, ring)
    process.write(1)

    report, (finding,) = process.verify()

    assert (2, FindingKind.UNCHAINED) == (report.unchained, finding.kind)


def test_a_removed_chain_is_missing(two: tuple[Process, Process], database: Database) -> None:
    """As far as checkpoints have it; a chain with another name in its place is not authentic."""
    one, other = two
    documents = list(database.audit_logs.find({"_id": {"$regex": f"^{one.name()}"}}))
    database.audit_logs.delete_many({"_id": {"$regex": f"^{one.name()}"}})

    _, (finding,) = other.verify()
    assert (FindingKind.MISSING, _of(one, 0), _of(one, 10)) == (finding.kind, finding.first, finding.last)

    forged = f"{one.name()[:8]}{'0' * 16}"
    database.audit_logs.insert_many(
        [{**document, "_id": document["_id"].replace(one.name(), forged)} for document in documents]
    )
    report, _ = other.verify()
    assert {FindingKind.ALTERED: 13, FindingKind.MISSING: 1} == {
        kind: count for kind, count in report.found.items() if kind is not FindingKind.CUT
    }


def test_checkpoints_that_were_removed_leave_a_gap(two: tuple[Process, Process], database: Database) -> None:
    """In the middle, and at the end, as every process remembers the last one that it saw."""
    one, _ = two
    one.checkpoint()
    one.write(1)
    one.checkpoint()
    database.audit_checkpoints.delete_one({"_id": 2})
    _, (finding,) = one.verify()
    assert (FindingKind.MISSING, "checkpoint 2") == (finding.kind, finding.first)

    database.audit_checkpoints.delete_many({})
    one.write(1)
    assert 4 == one.checkpoint()["number"]
    _, (finding,) = one.verify()
    assert (FindingKind.MISSING, "checkpoint 1", "checkpoint 3") == (
        finding.kind,
        finding.first,
        finding.last,
    )


def test_an_altered_checkpoint_is_reported_and_not_used(
    two: tuple[Process, Process], database: Database
) -> None:
    """It cannot be used to shorten a chain."""
    one, _ = two
    database.audit_checkpoints.update_one({}, {"$set": {"heads.0.seq": 3}})

    _, (finding,) = one.verify()

    assert (FindingKind.ALTERED, "checkpoint 1") == (finding.kind, finding.first)


def test_a_saved_checkpoint_reveals_what_was_removed_with_its_checkpoints(
    store: Store, ring: KeyRing, database: Database
) -> None:
    """A whole chain and every checkpoint, removed while no process was running."""
    one = Process(store, ring)
    one.write(5)
    first = one.checkpoint()
    one.write(5)
    saved = one.checkpoint()
    one.write(5)
    one.checkpointer.end(5)
    name = first["heads"][0]["writer"]
    database.audit_logs.delete_many({"_id": {"$gte": f"{name}:000000000009"}})
    database.audit_checkpoints.delete_many({"_id": {"$gt": 1}})
    one = Process(store, ring)
    assert {FindingKind.CUT} >= set(one.verify(first)[0].found)

    _, findings = one.verify(first, saved)

    assert {
        (FindingKind.MISSING, "checkpoint 2"),
        (FindingKind.CUT, f"{name}:000000000009"),
    } == {(finding.kind, finding.first) for finding in findings}
    assert f"{name}:000000000010" in [finding.last for finding in findings]
    forged = saved | {"heads": []}
    assert FindingKind.ALTERED in [finding.kind for finding in one.verify(forged)[1]]


def test_expired_records_are_not_findings(store: Store, ring: KeyRing, database: Database) -> None:
    """Missing old records are not findings if a checkpoint covers them; missing newer ones are."""
    process = Process(store, ring, ttl_days=1)
    process.write(5, now() - 3 * DAY)
    process.ahead = -3 * DAY
    process.checkpoint()
    process.ahead = -1.5 * DAY
    process.write(5, now() - 1.5 * DAY)
    process.checkpoint()
    process.ahead = timedelta(0)
    process.write(5)
    process.checkpoint()
    name = process.name()
    database.audit_logs.delete_many({"_id": {"$lte": f"{name}:000000000010"}})

    report, findings = process.verify()
    assert ([], 11, 5) == (findings, report.expired, report.records)

    database.audit_logs.delete_many({"_id": {"$lte": f"{name}:000000000013"}})
    process.checkpointer.end(5)
    process = Process(store, ring, ttl_days=1)
    report, _ = process.verify()
    # Today's checkpoint covers all of them; newer records must be there.
    assert report.expired >= 11


def test_a_removed_prefix_does_not_pass_for_expired(store: Store, ring: KeyRing, database: Database) -> None:
    """Records that a checkpoint made after the limit does not have yet are even newer."""
    process = Process(store, ring, ttl_days=1)
    process.write(2)
    process.ahead = -DAY / 2
    process.checkpoint()
    process.write(5)
    database.audit_logs.delete_many({"_id": {"$lte": _of(process, 5)}})

    _, (finding,) = process.verify()

    assert (FindingKind.MISSING, _of(process, 3), _of(process, 5)) == (
        finding.kind,
        finding.first,
        finding.last,
    )


def test_the_chain_of_a_dead_process_is_closed_by_another(
    two: tuple[Process, Process], database: Database
) -> None:
    """Until then its end is open; a process that was only slow continues in another chain."""
    one, other = two
    name = one.name()
    other.ahead = LOST_AFTER * other.log.interval + timedelta(seconds=1)
    database.audit_writers.update_one(
        {"_id": name}, {"$set": {"seen_at": now() - timedelta(minutes=1)}}, upsert=True
    )
    _, findings = other.verify()
    assert {FindingKind.CUT} == {finding.kind for finding in findings}

    other.checkpointer.run(due=True)
    one.write(1)

    last = database.audit_logs.find_one({"_id": f"{name}:000000000013"})
    assert ("chain_close", "failure", "writer gone") == (last["operation"], last["status"], last["reason"])
    assert one.name() != name
    other.ahead = timedelta(0)
    assert other.verify()[0].valid


def test_one_process_makes_the_checkpoint(two: tuple[Process, Process], database: Database) -> None:
    """No process does before it is due, or if there is nothing new."""
    one, other = two
    assert None is one.checkpointer.run()
    one.ahead = other.ahead = one.log.interval
    assert (True, None, None) == (
        one.checkpointer.run() is not None,
        other.checkpointer.run(),
        other.checkpointer.run(due=True),
    )
    assert 2 == database.audit_checkpoints.count_documents({})


def test_chains_can_be_verified_after_the_master_key_was_changed(
    two: tuple[Process, Process], store: Store, database: Database
) -> None:
    """With the new key alone after the rewrap; without it nothing can be written or verified."""
    both = make_ring(OTHER_MASTER_KEY, MASTER_KEY)
    assert audit_log(store, both, 60, 0).key.rewrap()
    assert not audit_log(store, both, 60, 0).key.rewrap()
    later = Process(store, make_ring(OTHER_MASTER_KEY))
    later.write(1)

    report, _ = later.verify()

    assert (True, 28, 3) == (report.valid, report.records, report.chains)


def test_a_lost_key_is_not_replaced(
    two: tuple[Process, Process], store: Store, ring: KeyRing, database: Database
) -> None:
    """Otherwise every earlier record would count as altered."""
    database.meta.delete_one({"_id": "audit_key"})

    with pytest.raises(StoreUnavailable, match="restore the document audit_key"):
        Process(store, ring).write(1)
