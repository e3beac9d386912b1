"""Findings and the final report of a verification of the audit log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class FindingKind(StrEnum):
    """The kind of a finding; without any finding, the log is as it was written."""

    ALTERED = "altered"
    MISSING = "missing"
    CUT = "gap at the end of a chain"
    UNCHAINED = "in no chain"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as the service wrote it.

    ``first`` and ``last`` are ids of records (or ``checkpoint`` and a number), equal for a single one.  The
    affected records were written between ``after`` and ``before``, as far as surrounding records show.
    """

    kind: FindingKind
    first: str
    last: str
    detail: str
    after: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Anchors:
    """Checkpoints from outside the database that the log was compared with.

    ``kind`` says where they were: in this node's ``volume``, or ``given`` by the caller.  ``checkpoint`` is
    the number of the newest.
    """

    kind: str
    checkpoint: int
    compared: int


@dataclass(slots=True)
class Report:
    """The result of a verification.

    ``records`` were read in ``chains``, of which ``open`` have a living process.  ``expired`` records are
    gone because of their age, as a checkpoint shows.  ``unchained`` records are from before there were
    chains.  Without ``anchors``, everything was compared only with what is in the same database.  ``found``
    counts the findings by kind.
    """

    records: int = 0
    chains: int = 0
    open: int = 0
    expired: int = 0
    unchained: int = 0
    checkpoints: int = 0
    anchors: list[Anchors] = field(default_factory=list)
    found: dict[FindingKind, int] = field(default_factory=dict)

    @property
    def valid(self) -> bool:
        """Whether nothing was found."""
        return not self.found


class Findings:
    """Counts findings and passes each to ``report_finding``."""

    def __init__(self, report: Report, report_finding: Callable[[Finding], None]) -> None:
        self._report = report
        self._report_finding = report_finding

    def add(
        self,
        kind: FindingKind,
        first: str,
        detail: str,
        last: str | None = None,
        after: datetime | None = None,
        before: datetime | None = None,
    ) -> None:
        """Add a finding."""
        self._report.found[kind] = self._report.found.get(kind, 0) + 1
        self._report_finding(Finding(kind, first, last or first, detail, after, before))
