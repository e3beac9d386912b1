"""What checkpoints say about the chains: how far each must reach, and what may have expired of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..errors import Tampered
from . import checkpoints
from .chain import BEGINNING, AuditKeys, Head
from .checkpoints import Checkpoint
from .findings import FindingKind, Findings, Report


@dataclass(slots=True)
class ExpectedHeads:
    """The newest known head of each chain, with the time; ``marks`` are all heads that a record must match.

    Up to the numbers in ``expired``, records were written so long ago that they may be gone.
    """

    heads: dict[str, tuple[Head, datetime]] = field(default_factory=dict)
    pinned: dict[tuple[str, int], bytes] = field(default_factory=dict)
    expired: dict[str, int] = field(default_factory=dict)

    def add(self, checkpoint: Checkpoint, *, pin: bool) -> None:
        """Learn from a checkpoint; its heads become marks where ``marked``."""
        for head in checkpoint.heads:
            before = self.heads.get(head.writer)
            if before is None or head.seq > before[0].seq:
                self.heads[head.writer] = (head, checkpoint.at)
            if pin:
                self.pinned[head.writer, head.seq] = head.mac


def load(
    keys: AuditKeys,
    stored: Callable[[], Iterable[Mapping[str, Any]]],
    saved: Sequence[Mapping[str, Any]],
    expired_before: datetime | None,
    report: Report,
    findings: Findings,
) -> ExpectedHeads:
    """Return what the checkpoints say, those in the database and those ``saved`` outside.

    What is wrong with them becomes findings.  ``stored`` is read twice.  ``expired_before`` is what the
    present settings let expire.
    """
    expected = ExpectedHeads()
    outside = _authentic(keys, saved, findings)
    good: set[int] = set()
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
        good.add(found.number)
        expected.add(found, pin=False)
        expired_before = _later(expired_before, found.expired_before)
        copy = outside.pop(found.number, None)
        if copy is not None:
            expected.add(copy, pin=True)
            if copy.mac != found.mac:
                findings.add(FindingKind.ALTERED, name, "another one than the saved one")
    for copy in outside.values():
        expected.add(copy, pin=True)
        expired_before = _later(expired_before, copy.expired_before)
        findings.add(
            FindingKind.MISSING, f"checkpoint {copy.number}", "only the saved copy is left", before=copy.at
        )
    expected.pinned |= {(head.writer, head.seq): head.mac for head, _ in expected.heads.values()}
    if expired_before is not None:
        _note_expired(expected, stored(), good, expired_before)
    return expected


def _authentic(
    keys: AuditKeys, saved: Sequence[Mapping[str, Any]], findings: Findings
) -> dict[int, Checkpoint]:
    found = {}
    for one in saved:
        try:
            checkpoint = checkpoints.from_json(one)
            if not checkpoints.is_authentic(keys, checkpoint):
                raise Tampered("does not authenticate")
            found[checkpoint.number] = checkpoint
        except Tampered as error:
            findings.add(FindingKind.ALTERED, f"saved checkpoint {str(one.get('number'))[:20]}", str(error))
    return found


def _compare(previous: Checkpoint | None, found: Checkpoint, findings: Findings, *, first: bool) -> None:
    """Tell what is missing or wrong between two that follow each other in the database."""
    number = 1 if first else previous.number + 1 if previous is not None else found.number
    if found.number > number:
        findings.add(
            FindingKind.MISSING,
            f"checkpoint {number}",
            "its number is not there",
            last=f"checkpoint {found.number - 1}",
            after=None if previous is None else previous.at,
            before=found.at,
        )
    elif (first and found.previous != BEGINNING) or (previous is not None and found.previous != previous.mac):
        findings.add(FindingKind.ALTERED, f"checkpoint {found.number}", "does not follow the one before it")


def _note_expired(
    expected: ExpectedHeads, stored: Iterable[Mapping[str, Any]], good: set[int], expired_before: datetime
) -> None:
    """Learn what was written before; that the first checkpoint after that time knows it, shows it."""
    for document in stored:
        if document["_id"] not in good:
            continue
        checkpoint = checkpoints.from_json(document)
        for head in checkpoint.heads:
            expected.expired[head.writer] = max(head.seq, expected.expired.get(head.writer, -1))
        if checkpoint.at >= expired_before:
            return


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((time for time in (one, other) if time is not None), default=None)
