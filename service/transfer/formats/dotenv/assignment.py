"""What the readers of all programs yield, and the loop and the words that they share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ..line import LineError

BARE = "no quotes"
QUOTED = {"'": "single quotes", '"': "double quotes", "`": "backticks"}

NO_EQUALS_SIGN = "there is no equals sign: write NAME=value, or # at the beginning of a comment"
NO_NAME = "there is no name in front of the equals sign: write NAME=value"
NOT_CLOSED = "the quote at the beginning of the value is not closed: close it"
AFTER_QUOTE = "there is text after the closing quote: remove it, or put it inside the quotes"

# What python-dotenv and compose-go make of a letter after a backslash in double quotes.
ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Assignment:
    """A name and its value, on ``lines`` lines from ``number`` on; ``quotes`` says how it was written."""

    number: int
    lines: int
    name: str = field(repr=False)
    value: str = field(repr=False)
    quotes: str

    @property
    def reading(self) -> str:
        """How the lines were read, without the value."""
        notes = [self.quotes]
        if self.lines > 1:
            notes.append(f"to line {self.number + self.lines - 1}")
        if not self.value:
            notes.append("empty")
        if _CONTROL.search(self.value):
            notes.append("with control characters")
        return ", ".join(notes)


Reading = Iterator[Assignment | LineError]


class RefusedLine(Exception):
    """The program refuses a line, or what it reads depends on more than the file.

    The message says why and what to do, and never contains a value.
    """


class Statement(NamedTuple):
    """An assignment that ends at a position of the text."""

    name: str
    value: str
    quotes: str
    end: int


def statements(text: str, blank: re.Pattern[str], parse: Callable[[str, int], Statement]) -> Reading:
    """Yield the assignment or the error in each line that is not ``blank``, which matches comments as well.

    ``parse`` reads the assignment that begins at a position, or raises ``RefusedLine``.
    """
    at, number = 0, 1
    while at < len(text):
        start = _end(blank, text, at)
        number += text.count("\n", at, start)
        if start == len(text):
            return
        try:
            statement = parse(text, start)
            at = statement.end
            lines = text.count("\n", start, at) + 1
            yield Assignment(number, lines, statement.name, statement.value, statement.quotes)
        except RefusedLine as error:
            at = line_end(text, start)
            yield LineError(number, str(error))
        number += text.count("\n", start, at)


def line_end(text: str, at: int) -> int:
    """Return the position of the line feed that ends the line, or the end of the text."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return at if found is None else found.end()
