"""What a verification of the audit log can find, and what it says in the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class FindingKind(StrEnum):
    """What is the matter; where nothing is, the log is as it was written."""

    ALTERED = "altered"
    MISSING = "missing"
    CUT = "gap at the end of a chain"
    UNCHAINED = "in no chain"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as the service wrote it.

    ``first`` and ``last`` are ids of records (or ``checkpoint`` and a number), equal where it is one.
    It happened between ``after`` and ``before``, as far as records around it tell.
    """

    kind: FindingKind
    first: str
    last: str
    detail: str
    after: datetime | None = None
    before: datetime | None = None


@dataclass(slots=True)
class Report:
    """The end of a verification.

    ``records`` were read in ``chains``, of which ``open`` have a living process.  ``expired`` ones are
    gone, as a checkpoint shows, because of their age.  ``unchained`` are from before there were chains.
    ``found`` counts the findings by kind.
    """

    records: int = 0
    chains: int = 0
    open: int = 0
    expired: int = 0
    unchained: int = 0
    checkpoints: int = 0
    found: dict[FindingKind, int] = field(default_factory=dict)

    @property
    def valid(self) -> bool:
        """Whether nothing was found."""
        return not self.found


class Findings:
    """Counts findings and passes them on."""

    def __init__(self, report: Report, tell: Callable[[Finding], None]) -> None:
        self._report = report
        self._tell = tell

    def add(
        self,
        kind: FindingKind,
        first: str,
        detail: str,
        last: str | None = None,
        after: datetime | None = None,
        before: datetime | None = None,
    ) -> None:
        """Take note of one."""
        self._report.found[kind] = self._report.found.get(kind, 0) + 1
        self._tell(Finding(kind, first, last or first, detail, after, before))
