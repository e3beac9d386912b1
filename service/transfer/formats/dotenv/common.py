"""Reads of ``.env`` files what Docker, Compose, python-dotenv and node's dotenv read in the same way.

That is little, as Docker takes quotes, spaces and ``export`` as they are: ``NAME=value`` with a value that
needs no quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .assignment import BARE, NO_EQUALS_SIGN, NO_NAME, Assignment
from .compose import SPACE


@dataclass(frozen=True, slots=True)
class Disagreement:
    """``lines`` lines from ``number`` on that programs read in different ways, or that look cut off.

    ``cure`` says how to write them so that all read them alike; it may be empty.
    """

    number: int
    lines: int
    trouble: str
    cure: str


# Tabs and line feeds are not in it.  Node ends a line at U+2028 and U+2029 as well.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_SPACES = SPACE + "\ufeff"
_BLANK = re.compile(r"[ \t]*(?:#[^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]*)?")
_ASSIGNMENT = re.compile(r"[ \t]*(export[ \t]+)?([^=]*?)([ \t]*)=(.*)")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
# What means the same without its quotes.
_QUOTED_PLAIN = re.compile(r"""(['"])(?!\s)[^'"`#$\\]*(?<!\s)\1""")
_BEGIN = "-----BEGIN "
# The lines after the first of a value that none of the programs ends there.
_SPAN = re.compile(
    r"""[^=\n]*=[ \t]*(?:'[^']*'|"(?:[^"\\]|\\.)*"|`[^`]*`|-----BEGIN .*?-----END [^\n]*)""", re.DOTALL
)


def read(text: str) -> Iterator[Assignment | Disagreement]:
    """Yield what all programs read alike, and the lines that they do not."""
    at = read_to = 0
    for number, written in enumerate(text.split("\n"), 1):
        start, at = at, at + len(written) + 1
        line = written.removesuffix("\r")
        if start < read_to or _BLANK.fullmatch(line):
            continue
        troubles = list(_troubles(line))
        if troubles:
            span = _SPAN.match(text, start)
            read_to = start if span is None else span.end()
            trouble, cure = troubles[0]
            lines = text.count("\n", start, read_to) + 1
            yield Disagreement(number, lines, trouble, cure if len(troubles) == 1 else "")
        else:
            name, _, value = line.lstrip(" \t").partition("=")
            yield Assignment(number, 1, name, value, BARE)


def _troubles(line: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a line that is neither blank nor a comment, each with its cure."""
    if control := _CONTROL.search(line):
        yield _control(control[0])
        return
    found = _ASSIGNMENT.fullmatch(line)
    if found is None:
        yield NO_EQUALS_SIGN, ""
        return
    export, name, space, value = found.groups()
    if value.lstrip(_SPACES).startswith(_BEGIN):
        # The cure is one for all other troubles as well.
        cure = "put all of it in single quotes, and add --dialect compose, python or node"
        yield "without quotes, only the first line of a PEM text is the value", cure
        return
    yield from _troubles_of_value(value)
    if not name:
        yield NO_NAME, ""
    elif _NAME.fullmatch(name) is None:
        yield "some programs refuse or skip this name", "use only letters, digits and _ . - in it"
    if export:
        yield "docker refuses `export`", "remove it"
    if space:
        yield "docker refuses a space in front of the equals sign", "remove it"
    if value.strip(_SPACES) != value:
        yield "docker keeps spaces around a value, and the others remove them", "remove them"


def _control(character: str) -> tuple[str, str]:
    if character == "\r":
        return (
            "there is a carriage return: python and node end the line there, docker and compose do not",
            "convert all ends of lines to line feeds",
        )
    code = f"U+{ord(character):04X}"
    return f"there is the control character {code}, which programs read in different ways", "remove it"


def _troubles_of_value(value: str) -> Iterator[tuple[str, str]]:
    content = value.strip(_SPACES)
    if content == "=":
        yield "this looks like the end of a longer text in base64", "put all of it on one line"
    elif content.startswith(("'", '"')):
        cure = "leave them out" if _QUOTED_PLAIN.fullmatch(content) else ""
        yield "docker keeps quotes as part of the value, and the others remove them", cure
    elif content.startswith("`"):
        yield "node removes backticks, and the others keep them as part of the value", ""
    elif "#" in content:
        cure = "put a comment on a line of its own"
        yield "programs disagree on whether # begins a comment", cure
    elif "$" in content:
        yield "compose reads a variable at a dollar sign, docker and node do not", ""
