"""Verifies the audit log: every record, every link and the end of every chain, against the checkpoints.

Records are read once, in order of their ids, and not kept: memory use depends only on the number of chains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..errors import Tampered
from . import chain
from .chain import AuditKeys, Head
from .expected_heads import ExpectedHeads
from .findings import FindingKind, Findings, Report

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WriterLiveness:
    """Which writers are ``alive``; one that has written nothing since ``lost_before`` is not.

    The chain of a process that has run for more than ``min_uptime`` must be in a checkpoint.
    """

    alive: frozenset[str]
    lost_before: datetime
    min_uptime: timedelta


@dataclass(slots=True)
class _Chain:
    """The chain that is being read, up to the record with number ``seq``.

    ``mac`` is None if the previous record is missing or altered, so the next one cannot be compared with it.
    """

    writer: str
    seq: int = -1
    mac: bytes | None = chain.BEGINNING
    closed: bool = False
    begun: datetime | None = None
    at: datetime | None = None

    @property
    def last_id(self) -> str:
        return chain.record_id(self.writer, max(self.seq, 0))


class Verifier:
    """One run over all chains."""

    def __init__(
        self,
        keys: AuditKeys,
        expected: ExpectedHeads,
        liveness: WriterLiveness,
        report: Report,
        findings: Findings,
    ) -> None:
        self._keys = keys
        self._expected = expected
        self._liveness = liveness
        self._report = report
        self._findings = findings

    def run(self, records: Iterable[Document], progress: Callable[[int], None]) -> None:
        """Verify all records in chains; ``progress`` gets the count after each record."""
        current: _Chain | None = None
        for document in records:
            self._report.records += 1
            progress(self._report.records)
            try:
                writer, seq = chain.place(document["_id"])
            except Tampered as error:
                self._findings.add(FindingKind.ALTERED, str(document["_id"])[:80], str(error))
                continue
            if current is None or current.writer != writer:
                self._end(current)
                current = _Chain(writer)
            self._verify(current, seq, document)
        self._end(current)
        # Chains without any record left.
        for writer, (head, at) in self._expected.heads.items():
            self._require_expired(writer, 0, head.seq, None, at, FindingKind.MISSING)

    def _verify(self, current: _Chain, seq: int, document: Document) -> None:
        at = document.get("timestamp")
        at = at if isinstance(at, datetime) else None
        if seq > current.seq + 1:
            self._require_expired(
                current.writer, current.seq + 1, seq - 1, current.at, at, FindingKind.MISSING
            )
            current.mac = None
        problem = self._problem(current, seq, document)
        if problem is not None:
            self._findings.add(FindingKind.ALTERED, document["_id"], problem, after=current.at, before=at)
        current.seq = seq
        current.mac = None if problem else document["mac"]
        current.closed = not problem and document["operation"] == chain.CLOSE
        current.at = current.at if problem else at
        current.begun = current.begun or current.at

    def _problem(self, current: _Chain, seq: int, document: Document) -> str | None:
        """Return what is wrong with a record, or None."""
        if not chain.is_authentic_document(self._keys, document):
            return "not what the service wrote at this position"
        if current.mac is not None and document.get("previous") != current.mac:
            return "does not follow the previous record"
        pinned = self._expected.pinned.get((current.writer, seq))
        if pinned is not None and pinned != document["mac"]:
            return "not the record that a checkpoint has at this position"
        return None

    def _end(self, current: _Chain | None) -> None:
        """Verify the end of a chain."""
        if current is None:
            return
        self._report.chains += 1
        head, at = self._expected.heads.pop(current.writer, (Head(current.writer), None))
        if head.seq > current.seq:
            self._require_expired(current.writer, current.seq + 1, head.seq, current.at, at, FindingKind.CUT)
            return
        if at is None and self._is_old_enough(current):
            self._findings.add(
                FindingKind.MISSING,
                f"checkpoints of {current.writer}",
                "no checkpoint has this chain, although its process ran long enough",
                after=current.begun,
                before=current.at,
            )
        if current.closed:
            return
        if current.writer in self._liveness.alive or (
            current.at is not None and current.at > self._liveness.lost_before
        ):
            self._report.open += 1
            return
        self._findings.add(
            FindingKind.CUT,
            current.last_id,
            "no record closes the chain, and its process is gone",
            after=current.at,
        )

    def _is_old_enough(self, current: _Chain) -> bool:
        if current.begun is None or current.at is None:
            return False
        return current.at - current.begun > self._liveness.min_uptime

    def _require_expired(
        self,
        writer: str,
        first: int,
        last: int,
        after: datetime | None,
        before: datetime | None,
        kind: FindingKind,
    ) -> None:
        """Report missing records, except those that a checkpoint shows to have been old enough to expire."""
        expired = min(self._expected.expired.get(writer, -1), last)
        self._report.expired += max(expired - first + 1, 0)
        first = max(first, expired + 1)
        if first <= last:
            self._findings.add(
                kind,
                chain.record_id(writer, first),
                f"{last - first + 1} record(s) missing",
                last=chain.record_id(writer, last),
                after=after,
                before=before,
            )
