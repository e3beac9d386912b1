r"""Reads ``.env`` files as node's package ``dotenv`` does (versions 15 to 18), with its regular expressions.

Of escapes it knows ``\n`` and ``\r`` only, in double quotes.  It skips a line that it does not understand,
and reads a quote that is not closed as a character; both are errors here.
"""

from __future__ import annotations

import re

from ..line import LineError
from .assignment import BARE, NO_EQUALS_SIGN, NOT_CLOSED, QUOTED, Assignment, Reading

# What \s, ^, $ and . stand for in JavaScript.
_SPACES = (
    "\t\n\v\f\r \xa0\u1680"
    + "".join(map(chr, range(0x2000, 0x200B)))
    + "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
_S = f"[{_SPACES}]"
_START = r"(?:\A|(?<=[\n\u2028\u2029]))"
_END = r"(?=[\n\u2028\u2029]|\Z)"
_ANY = r"[^\n\u2028\u2029]"

_LINE = re.compile(
    rf"{_START}{_S}*(?:export{_S}+)?([A-Za-z0-9_.-]+)(?:{_S}*={_S}*?|:{_S}+?)"
    rf"""({_S}*'(?:\\'|[^'])*'|{_S}*"(?:\\"|[^"])*"|{_S}*`(?:\\`|[^`])*`|[^#\n]+)?"""
    rf"{_S}*(?:#{_ANY}*)?{_END}"
)
_QUOTES = re.compile(rf"""{_START}(['"`])(.*)\1{_END}""", re.DOTALL)


def read(text: str) -> Reading:
    """Yield the assignment or the error in each line."""
    text = re.sub("\r\n?", "\n", text)
    at, number = 0, 1
    for found in _LINE.finditer(text):
        yield from _skipped(text[at : found.start()], number)
        number += text.count("\n", at, found.start(1))
        yield _assignment(number, found)
        at = found.end()
        number += text.count("\n", found.start(1), at)
    yield from _skipped(text[at:], number)


def _assignment(number: int, found: re.Match[str]) -> Assignment | LineError:
    written = (found[2] or "").strip(_SPACES)
    value = _QUOTES.sub(r"\2", written)
    quote = written[:1]
    if quote not in QUOTED:
        return Assignment(number, 1, found[1], value, BARE)
    if value == written:
        return LineError(number, NOT_CLOSED)
    if quote == '"':
        value = value.replace("\\n", "\n").replace("\\r", "\r")
    lines = found.string.count("\n", found.start(1), found.end(2)) + 1
    return Assignment(number, lines, found[1], value, QUOTED[quote])


def _skipped(text: str, number: int) -> Reading:
    """Yield an error for each line that node skips, unless it is blank or a comment."""
    for index, line in enumerate(text.split("\n")):
        content = line.strip(_SPACES)
        if content and not content.startswith("#"):
            trouble = "node skips this line: write NAME=value, with letters, digits and _ . - in the name"
            yield LineError(number + index, trouble if "=" in line else NO_EQUALS_SIGN)
