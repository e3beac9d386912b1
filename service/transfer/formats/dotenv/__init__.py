"""Reads ``.env`` files: ``NAME=value``, in the dialect of one program or as all of them read it.

There is no standard.  Unless it is said which program a file is for, what Docker, Compose, python-dotenv
and node's dotenv read in different ways is an error, because one of the readings would be a wrong secret.
The table of the four is in ``docs/reference/env-files.md``, and the tests hold each reader to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import StrEnum

from ..line import LineError, ParsedLine, parsed_line
from . import common, compose, docker, node, python
from .assignment import Assignment, Reading
from .common import Disagreement


class Dialect(StrEnum):
    """The program whose file it is."""

    DOCKER = "docker"
    COMPOSE = "compose"
    PYTHON = "python"
    NODE = "node"


READERS: dict[Dialect, Callable[[str], Reading]] = {
    Dialect.DOCKER: docker.read,
    Dialect.COMPOSE: compose.read,
    Dialect.PYTHON: python.read,
    Dialect.NODE: node.read,
}

_BLANK = re.compile(r"\s*(?:#[^\r\n]*\s*)*")
_BEGINNING = re.compile(r"(?:export[ \t]+)?[\w.-]+[ \t]*=")


def looks_like_it(text: str) -> bool:
    """Return whether the first line that is not blank or a comment is an assignment."""
    blank = _BLANK.match(text)
    return _BEGINNING.match(text, blank.end() if blank else 0) is not None


def read(text: str, dialect: Dialect | None) -> Iterator[ParsedLine | LineError]:
    """Yield the secret or the error in each line; the path of a secret is its name.

    Without a dialect, only what all of them read in the same way is a secret.
    """
    for found in _read_common(text) if dialect is None else READERS[dialect](text):
        yield _secret(found) if isinstance(found, Assignment) else found


def _secret(assignment: Assignment) -> ParsedLine:
    line = parsed_line(assignment.number, assignment.name, assignment.value.encode())
    return replace(line, reading=assignment.reading)


def _read_common(text: str) -> Reading:
    lines_read: dict[Dialect, dict[int, int]] = {}
    for found in common.read(text):
        if isinstance(found, Assignment):
            yield found
            continue
        lines_read = lines_read or {dialect: _lines_read(read(text)) for dialect, read in READERS.items()}
        able = [dialect for dialect, lines in lines_read.items() if _reads(lines, found)]
        yield LineError(found.number, _describe(found, able))


def _lines_read(reading: Reading) -> dict[int, int]:
    """Return the number of lines of each assignment, and 0 for an error, by the number of the first line."""
    return {found.number: found.lines if isinstance(found, Assignment) else 0 for found in reading}


def _reads(lines_read: dict[int, int], found: Disagreement) -> bool:
    """Return whether a program reads these lines as one assignment."""
    others = range(found.number + 1, found.number + found.lines)
    return bool(lines_read.get(found.number)) and not any(number in lines_read for number in others)


def _describe(found: Disagreement, able: list[Dialect]) -> str:
    """Return the error, with every way that works."""
    if not able:
        return f"{found.trouble}: {found.cure}" if found.cure else found.trouble
    others = f"{found.trouble}: {found.cure}, or" if found.cure else f"{found.trouble}:"
    return f"{others} name the program that reads the file with --dialect {_either(able)}"


def _either(names: list[Dialect]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
