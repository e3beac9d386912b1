"""load.report: the cost of a fault, on handmade journals."""

from pathlib import Path

from tests.load.conftest import load, operation
from tests.load.journal import Journal, Kind, Mark, Operation, Result
from tests.load.report import BEFORE, Row, rows, table

HEAD = (
    "| fault | longest without a write, s | longest without a read, s"
    " | operations | retried | errors | wrong answers |"
)


def creates(*ends: float) -> list[Operation]:
    """Return acknowledged creates that ended at these times and took no time."""
    return [operation(t=end, end=end) for end in ends]


def test_a_gap_that_begins_before_the_mark_counts_from_the_mark() -> None:
    """The five seconds before it do not belong to this fault."""
    before, fault = rows(creates(100, 101, 107, 108), [Mark(106, "killed")])

    assert 5 == before.without_write
    assert 1 == fault.without_write


def test_a_gap_that_continues_after_the_next_mark_is_split_there() -> None:
    """Each fault gets its part of it."""
    _, first, second = rows(creates(100, 101, 112, 113), [Mark(102, "killed"), Mark(109, "cut off")])

    assert [7, 3] == [first.without_write, second.without_write]


def test_an_interval_without_success_is_a_gap_as_a_whole() -> None:
    """Failed operations do not end it."""
    gave_up = operation(t=103, end=105, result=Result.GAVE_UP, errors=("503",), id=None, request_ids=())

    _, fault, _ = rows([*creates(100, 111), gave_up], [Mark(102, "killed"), Mark(110, "started")])

    assert Row("killed", 8, 8, operations=1, retried=0, errors=1, wrong=0) == fault


def test_the_last_interval_ends_with_the_last_operation() -> None:
    """An outage that lasts until the load ends counts until then."""
    cut_off = operation(t=105, end=120, result=Result.GAVE_UP, errors=("503", "stopped"), id=None)

    _, fault = rows([*creates(100, 104), cut_off], [Mark(102, "killed")])

    assert Row("killed", 16, 18, operations=2, retried=0, errors=0, wrong=0) == fault


def test_an_operation_that_spans_a_mark_belongs_to_where_it_ended() -> None:
    """It is counted once, and its errors belong to that fault."""
    spanning = operation(t=101, end=109, attempts=4, errors=("503",) * 3)

    before, fault = rows([*creates(100, 110), spanning], [Mark(102, "killed")])

    assert (1, 0) == (before.operations, before.retried)
    assert Row("killed", 7, 8, operations=2, retried=1, errors=0, wrong=0) == fault


def test_an_operation_that_ends_at_a_mark_is_counted_once() -> None:
    """It belongs to the interval that begins there."""
    _, first, second = rows(creates(100, 105, 110), [Mark(101, "killed"), Mark(105, "started")])

    assert [0, 2] == [first.operations, second.operations]


def test_reads_and_writes_are_separate() -> None:
    """A wrong answer does not count as a read."""
    operations = [
        *creates(100, 101, 102, 103),
        operation(op=Kind.FETCH, end=101),
        operation(op=Kind.FETCH, end=102, result=Result.WRONG),
        operation(op=Kind.FETCH, end=103),
    ]

    assert [Row("killed", 1, 2, operations=7, retried=0, errors=1, wrong=1)] == rows(
        operations, [Mark(100, "killed")]
    )


def test_marks_need_not_be_in_order() -> None:
    """Two processes write the journal; the time decides."""
    assert [BEFORE, "first", "second"] == [
        row.fault for row in rows(creates(100, 110), [Mark(106, "second"), Mark(103, "first")])
    ]


def test_a_journal_without_marks_is_one_interval() -> None:
    """An empty journal has no interval."""
    assert [Row(BEFORE, 2, 3, operations=3, retried=0, errors=0, wrong=0)] == rows(creates(100, 102, 103), [])
    assert [] == rows([], [])


def test_a_mark_cannot_break_the_table() -> None:
    """Neither a bar nor a line end in it does."""
    line = table([Row("a | b\nc", 1.25, 0, 1, 2, 3, 4)]).splitlines()[-1]

    assert r"| a \| b c | 1.2 | 0.0 | 1 | 2 | 3 | 4 |" == line


def test_the_command_prints_the_table(journal: Path) -> None:
    """In Markdown, and nothing else."""
    with Journal(journal) as lines:
        for one in creates(100, 101):
            lines.append(one)
        lines.append(Mark(100.0, "killed"))

    assert [
        HEAD,
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| killed | 1.0 | 1.0 | 2 | 0 | 0 | 0 |",
    ] == load("report", "--journal", journal).stdout.splitlines()
