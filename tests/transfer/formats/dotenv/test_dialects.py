"""The readers of each dialect, and what all of them read alike, against the table of the documentation."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.transfer.formats.dotenv import READERS, Dialect, common
from service.transfer.formats.dotenv.assignment import Assignment
from service.transfer.formats.line import LineError
from tests.transfer.formats.dotenv.table import REFUSED, VARIABLE, Row, rows

_CHARACTERS = ("A", "B", "=", "\r", " ", "\t", "'", '"', "`", "\\", "#", "$", "{", "}", "x", "n", ":")
_SPECIAL = ("\nA=", "export ", "-----BEGIN ", "\x0b", "\x85", "\u2028", "\xa0", "\ufeff")
FRAGMENTS = st.sampled_from((*_CHARACTERS, *_SPECIAL))
FILES = st.lists(FRAGMENTS, max_size=12).map(lambda parts: "A=" + "".join(parts))


def read(dialect: Dialect, text: str) -> tuple[dict[str, str], list[LineError]]:
    """Return the values by name, and the errors."""
    found = list(READERS[dialect](text))
    return (
        {one.name: one.value for one in found if isinstance(one, Assignment)},
        [one for one in found if isinstance(one, LineError)],
    )


@pytest.mark.parametrize("row", rows(), ids=lambda row: repr(row.line))
def test_each_dialect_has_its_own_value(row: Row) -> None:
    """What depends on variables is refused, as its value is not in the file."""
    for dialect, value in row.values.items():
        values, errors = read(dialect, row.line)
        assert (None if value is VARIABLE else value) == values.get(row.name), dialect
        assert value not in (REFUSED, VARIABLE) or errors, dialect


@pytest.mark.parametrize("row", rows(), ids=lambda row: repr(row.line))
def test_without_a_dialect_only_what_is_the_same_is_read(row: Row) -> None:
    """All of that, and nothing else."""
    first, *others = row.values.values()
    same = first is not REFUSED and all(value == first for value in others)

    (found,) = common.read(row.line) if "\n" not in row.line else [next(common.read(row.line))]

    assert same == isinstance(found, Assignment)
    assert not isinstance(found, Assignment) or (row.name, first) == (found.name, found.value)


@given(text=FILES)
@example("A=\n'x'")
@example("A=x\x1c")
@example("# c\rA=x")
@example("A=x\ufeff")
def test_what_is_read_without_a_dialect_is_the_same_in_all(text: str) -> None:
    """In any file that has no error."""
    found = list(common.read(text))
    if all(isinstance(one, Assignment) for one in found):
        values = {one.name: one.value for one in found if isinstance(one, Assignment)}
        for dialect in Dialect:
            assert (values, []) == read(dialect, text), dialect


@pytest.mark.parametrize("dialect", Dialect)
@given(text=FILES)
def test_reads_every_text_to_its_end(dialect: Dialect, text: str) -> None:
    """No line is out of order or does not exist."""
    numbers = [one.number for one in READERS[dialect](text)]

    assert sorted(numbers) == numbers
    assert not numbers or numbers[-1] <= text.replace("\r", "\n").count("\n") + 1


@pytest.mark.parametrize(
    ("dialect", "text", "says"),
    [
        (Dialect.DOCKER, "A B=x", "docker refuses a space in front of the equals sign"),
        (Dialect.DOCKER, "=x", "no name in front of the equals sign"),
        (Dialect.COMPOSE, "A=a$B", "write $$ for a dollar sign"),
        (Dialect.COMPOSE, 'A="${B}"', "write $$ for a dollar sign"),
        # Compose would read `$$$B`: a dollar sign and a variable.
        (Dialect.COMPOSE, 'A="$\\$B"', "write $$ for a dollar sign"),
        (Dialect.COMPOSE, 'A="\\0101"', "write the character itself"),
        (Dialect.COMPOSE, "A='x'y", "text after the closing quote"),
        (Dialect.COMPOSE, "A='x", "not closed: close it"),
        (Dialect.COMPOSE, "A+B=x", "use letters, digits and _ . -"),
        (Dialect.COMPOSE, "=x", "no name in front of the equals sign"),
        (Dialect.PYTHON, "A='${B:-c}'", "store its value by itself"),
        (Dialect.PYTHON, 'A="x"y', "text after the closing quote"),
        (Dialect.PYTHON, "A='x", "not closed: close it"),
        (Dialect.PYTHON, "A B=x", "python skips this line: write NAME=value"),
        (Dialect.NODE, "A B=x", "node skips this line: write NAME=value"),
        (Dialect.NODE, "A=`x", "not closed: close it"),
        (Dialect.NODE, "A=\"x'", "not closed: close it"),
    ],
)
def test_says_what_to_do_in_a_dialect(dialect: Dialect, text: str, says: str) -> None:
    """Instead of skipping the line or guessing, as some of the programs do."""
    _, (error,) = read(dialect, text)

    assert says in error.text


@pytest.mark.parametrize(
    ("dialect", "text", "reading"),
    [
        (Dialect.DOCKER, "A='x'", "quotes are part of the value"),
        (Dialect.DOCKER, "A=1\rB=2\r", "no quotes, with control characters"),
        (Dialect.COMPOSE, "A='x\n\ny'", "single quotes, to line 3"),
        (Dialect.PYTHON, 'A=""', "double quotes, empty"),
        (Dialect.NODE, "A=`x`", "backticks"),
    ],
)
def test_says_how_a_value_was_written(dialect: Dialect, text: str, reading: str) -> None:
    """Without the value."""
    (found,) = READERS[dialect](text)

    assert isinstance(found, Assignment)
    assert reading == found.reading
