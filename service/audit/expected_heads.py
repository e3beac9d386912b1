"""What checkpoints say about the chains: how far each must reach, and which records may have expired."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..errors import Tampered
from . import checkpoints
from .anchors import is_accepted
from .chain import BEGINNING, AuditKeys, Head
from .checkpoints import Checkpoint
from .findings import Anchors, FindingKind, Findings, Report


@dataclass(slots=True)
class ExpectedHeads:
    """What the chains must have.

    ``heads`` has the newest known head of each chain and the time of its checkpoint.  ``pinned`` has the MACs
    that records must have, by writer and number.  Records up to the numbers in ``expired`` are so old that
    they may have expired.
    """

    heads: dict[str, tuple[Head, datetime]] = field(default_factory=dict)
    pinned: dict[tuple[str, int], bytes] = field(default_factory=dict)
    expired: dict[str, int] = field(default_factory=dict)

    def add(self, checkpoint: Checkpoint, *, pin: bool) -> None:
        """Add the heads of a checkpoint; with ``pin``, records must match each of them."""
        for head in checkpoint.heads:
            before = self.heads.get(head.writer)
            if before is None or head.seq > before[0].seq:
                self.heads[head.writer] = (head, checkpoint.at)
            if pin:
                self.pinned[head.writer, head.seq] = head.mac


@dataclass(frozen=True, slots=True)
class Outside:
    """Checkpoints from outside the database, by where they were; ignored if made until ``accepted_until``."""

    checkpoints: Mapping[str, Sequence[Mapping[str, Any]]]
    accepted_until: datetime | None


def load(
    keys: AuditKeys,
    stored: Callable[[], Iterable[Mapping[str, Any]]],
    outside: Outside,
    expired_before: datetime | None,
    report: Report,
    findings: Findings,
) -> ExpectedHeads:
    """Return what the checkpoints say, both those in the database and those ``outside``.

    Anything wrong with them is added to ``findings``.  ``stored`` is called twice.  With the current
    settings, records older than ``expired_before`` may have expired.
    """
    expected = ExpectedHeads()
    copies = _authentic(keys, outside, report, findings)
    authentic: set[int] = set()
    previous: Checkpoint | None = None
    for document in stored():
        report.checkpoints += 1
        name = f"checkpoint {document['_id']}"
        try:
            found = checkpoints.from_json(document)
            if document["_id"] != found.number or not checkpoints.is_authentic(keys, found):
                raise Tampered("does not authenticate")
        except Tampered as error:
            findings.add(FindingKind.ALTERED, name, str(error))
            previous = None
            continue
        _compare(previous, found, findings, first=report.checkpoints == 1)
        previous = found
        authentic.add(found.number)
        expected.add(found, pin=False)
        expired_before = _later(expired_before, found.expired_before)
        for copy in copies.pop(found.number, {}).values():
            expected.add(copy, pin=True)
            if copy.mac != found.mac:
                findings.add(FindingKind.ALTERED, name, "differs from the saved copy")
    for copy in (copy for same_number in copies.values() for copy in same_number.values()):
        expected.add(copy, pin=True)
        expired_before = _later(expired_before, copy.expired_before)
        findings.add(
            FindingKind.MISSING,
            f"checkpoint {copy.number}",
            "only the saved copy exists",
            before=copy.at,
        )
    expected.pinned |= {(head.writer, head.seq): head.mac for head, _ in expected.heads.values()}
    if expired_before is not None:
        _add_expired(expected, stored(), authentic, expired_before)
    return expected


def _authentic(
    keys: AuditKeys, outside: Outside, report: Report, findings: Findings
) -> dict[int, dict[bytes, Checkpoint]]:
    """Return the checkpoints that count, by number and MAC."""
    found: dict[int, dict[bytes, Checkpoint]] = {}
    for kind, documents in outside.checkpoints.items():
        numbers = []
        for document in documents:
            try:
                checkpoint = checkpoints.from_json(document)
                if is_accepted(checkpoint, outside.accepted_until):
                    continue
                if not checkpoints.is_authentic(keys, checkpoint):
                    raise Tampered("is of another audit log, or was altered")
            except Tampered as error:
                name = f"saved checkpoint {str(document.get('number'))[:20]}"
                findings.add(FindingKind.ALTERED, name, str(error))
                continue
            numbers.append(checkpoint.number)
            found.setdefault(checkpoint.number, {})[checkpoint.mac] = checkpoint
        if numbers:
            report.anchors.append(Anchors(kind, max(numbers), len(numbers)))
    return found


def _compare(previous: Checkpoint | None, found: Checkpoint, findings: Findings, *, first: bool) -> None:
    """Report what is missing or wrong between two consecutive checkpoints in the database."""
    number = 1 if first else previous.number + 1 if previous is not None else found.number
    if found.number > number:
        findings.add(
            FindingKind.MISSING,
            f"checkpoint {number}",
            "no checkpoint has this number",
            last=f"checkpoint {found.number - 1}",
            after=None if previous is None else previous.at,
            before=found.at,
        )
    elif (first and found.previous != BEGINNING) or (previous is not None and found.previous != previous.mac):
        findings.add(FindingKind.ALTERED, f"checkpoint {found.number}", "does not follow the previous one")


def _add_expired(
    expected: ExpectedHeads,
    stored: Iterable[Mapping[str, Any]],
    authentic: set[int],
    expired_before: datetime,
) -> None:
    """Set what may have expired: what the first checkpoint at or after ``expired_before`` covers."""
    for document in stored:
        if document["_id"] not in authentic:
            continue
        checkpoint = checkpoints.from_json(document)
        for head in checkpoint.heads:
            expected.expired[head.writer] = max(head.seq, expected.expired.get(head.writer, -1))
        if checkpoint.at >= expired_before:
            return


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((time for time in (one, other) if time is not None), default=None)
