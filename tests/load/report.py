"""The cost of each fault, computed from the journal alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from .journal import Kind, Mark, Operation, Result

_HEAD = (
    "fault",
    "longest without a write, s",
    "longest without a read, s",
    "operations",
    "retried",
    "errors",
    "wrong answers",
)
BEFORE = "(before the first)"


@dataclass(frozen=True, slots=True)
class Row:
    """What happened from one mark to the next.

    An operation belongs to the interval in which it ended.  ``errors`` are the operations that failed for a
    client that retries, including wrong answers.
    """

    fault: str
    without_write: float
    without_read: float
    operations: int
    retried: int
    errors: int
    wrong: int


def rows(operations: Sequence[Operation], marks: Sequence[Mark]) -> list[Row]:
    """Return a row for each mark, preceded by one for the time before the first mark, if there was any."""
    if not operations and not marks:
        return []
    begin = min([operation.t for operation in operations] + [mark.t for mark in marks])
    end = max([operation.end for operation in operations] + [mark.t for mark in marks])
    starts = sorted(marks, key=lambda mark: mark.t)
    if not starts or begin < starts[0].t:
        starts = [Mark(begin, BEFORE), *starts]
    found = []
    for number, mark in enumerate(starts):
        last = number + 1 == len(starts)
        until = end if last else starts[number + 1].t
        inside = [one for one in operations if mark.t <= one.end and (last or one.end < until)]
        found.append(_row(mark, until, inside))
    return found


def table(found: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = [
        _HEAD,
        ["---", *["---:"] * (len(_HEAD) - 1)],
        *(
            (
                " ".join(row.fault.split()).replace("|", "\\|"),
                f"{row.without_write:.1f}",
                f"{row.without_read:.1f}",
                str(row.operations),
                str(row.retried),
                str(row.errors),
                str(row.wrong),
            )
            for row in found
        ),
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def longest_gap(times: Sequence[float], start: float, end: float) -> float:
    """Return the longest gap between two of ``times``, where ``start`` and ``end`` count as well.

    So a gap that began before ``start`` counts from ``start``, and one that continues after ``end`` counts
    until ``end``; without any times, it is the whole interval.
    """
    return max(after - before for before, after in pairwise([start, *sorted(times), end]))


def _row(mark: Mark, until: float, inside: Sequence[Operation]) -> Row:
    def successes(kind: Kind) -> list[float]:
        return [one.end for one in inside if one.op is kind and one.result is Result.OK]

    return Row(
        fault=mark.mark,
        without_write=longest_gap(successes(Kind.CREATE), mark.t, until),
        without_read=longest_gap(successes(Kind.FETCH), mark.t, until),
        operations=len(inside),
        retried=sum(one.attempts > 1 for one in inside),
        errors=sum(one.failed for one in inside),
        wrong=sum(one.result is Result.WRONG for one in inside),
    )
