"""load.journal: lines of several processes in one file, and reading them."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.load.conftest import load, operation
from tests.load.errors import Refused
from tests.load.journal import STOPPED, Journal, Kind, Mark, Result, read


def test_reads_what_was_written(journal: Path) -> None:
    """Operations and marks are read back unchanged."""
    failed = operation(
        id=None, attempts=3, request_ids=(), result=Result.GAVE_UP, errors=("503", "ConnectionError", "503")
    )
    with Journal(journal) as lines:
        lines.append(operation())
        lines.append(Mark(101.5, "killed a node"))
        lines.append(failed)

    assert ([operation(), failed], [Mark(101.5, "killed a node")]) == read(journal)


def test_lines_of_several_writers_do_not_mix(journal: Path) -> None:
    """Each opens the file itself, as ``run`` and ``mark`` do."""

    def write(number: int) -> None:
        with Journal(journal) as lines:
            for count in range(200):
                lines.append(Mark(count, f"{number}" * 500))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(4)))

    _, marks = read(journal)
    assert sorted(
        Mark(count, f"{number}" * 500).mark for number in range(4) for count in range(200)
    ) == sorted(mark.mark for mark in marks)


def test_mark_adds_a_line(journal: Path) -> None:
    """Whatever the text contains, it is one line."""
    assert 0 == load("mark", "--journal", journal, "killed\nthe primary's mongod").returncode

    (line,) = journal.read_text().splitlines()
    assert {"t", "mark"} == set(json.loads(line))
    assert "killed\nthe primary's mongod" == json.loads(line)["mark"]


def test_is_for_its_owner_only(journal: Path) -> None:
    """Without authentication, anyone who knows an id can fetch the secret."""
    Journal(journal).append(Mark(1, "x"))

    assert 0o600 == journal.stat().st_mode & 0o777


@pytest.mark.parametrize("line", ["{", "[]", "{}", '{"t": 1, "mark": "x", "more": 1}', '{"op": "create"}'])
def test_says_which_line_is_malformed(journal: Path, line: str) -> None:
    """No line is skipped, because it would then not be checked."""
    journal.write_text(f'{{"t": 1, "mark": "x"}}\n{line}\n')

    with pytest.raises(Refused, match="line 2: not a"):
        read(journal)


@pytest.mark.parametrize(
    ("result", "errors", "expected"),
    [
        (Result.OK, ("503",), False),
        (Result.GAVE_UP, ("503",), True),
        (Result.GAVE_UP, ("503", STOPPED), False),
        (Result.ERROR, ("500",), True),
        (Result.WRONG, (), True),
    ],
)
def test_what_counts_as_failed(result: Result, errors: tuple[str, ...], expected: bool) -> None:
    """Everything except success and what the end of the run cut off."""
    assert expected == operation(result=result, errors=errors).failed


def test_a_denied_fetch_is_a_404() -> None:
    """Other errors do not show whether the secret exists."""
    denied = operation(op=Kind.FETCH, result=Result.ERROR, errors=("503", "404"))
    failed = operation(op=Kind.FETCH, result=Result.ERROR, errors=("500",))

    assert [True, False] == [denied.denied, failed.denied]
