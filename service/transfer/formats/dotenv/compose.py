r"""Reads ``.env`` files as Docker Compose does: the package ``dotenv`` of compose-go, version 2.

Single quotes keep everything but ``\'``.  In double quotes and without quotes, ``$$`` is a dollar sign, and
``$NAME`` and ``${NAME}`` are variables, whose values are not in the file.
"""

from __future__ import annotations

import re

from .assignment import (
    AFTER_QUOTE,
    BARE,
    ESCAPES,
    NO_EQUALS_SIGN,
    NO_NAME,
    NOT_CLOSED,
    QUOTED,
    Reading,
    RefusedLine,
    Statement,
    line_end,
    statements,
)

# What Go's unicode.IsSpace accepts.
SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
)

_BLANK = re.compile(rf"[{SPACE}]*(?:#[^\n]*[{SPACE}]*)*")
_IN_LINE = r"[\t\v\f\r \x85\xa0]*"
_NAME = re.compile(rf"(?:export[\t\f\r ]+{_IN_LINE})?+([\w.\[\]-]*){_IN_LINE}[=:]{_IN_LINE}")
_VALUE = {
    "'": re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL),
    '"': re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL),
}
_AFTER_QUOTE = re.compile(rf"[{SPACE}]*?(?:#[^\n]*)?(?=\n|\Z)")
# A dollar sign in front of anything else is one; what an escape in front of it makes is not followed up.
_DOLLAR = re.compile(r"\$(?:\$|(?=([A-Za-z_{\\\u017f\u212a]))|)")
_ESCAPE = re.compile(r"\\(.)|" + _DOLLAR.pattern, re.DOTALL)
_ESCAPED = ESCAPES | {literal: literal for literal in '"\\$'}


def read(text: str) -> Reading:
    """Yield the assignment or the error in each line."""
    return statements(text, _BLANK, _statement)


def _statement(text: str, at: int) -> Statement:
    found = _NAME.match(text, at)
    if found is None:
        line = text[at : line_end(text, at)]
        raise RefusedLine(
            "compose refuses this name: use letters, digits and _ . -" if "=" in line else NO_EQUALS_SIGN
        )
    if not found[1]:
        raise RefusedLine(NO_NAME)
    at = found.end()
    quote = text[at : at + 1]
    if quote not in _VALUE:
        end = line_end(text, at)
        value, _, _ = text[at:end].partition(" #")
        return Statement(found[1], _without_dollars(value.rstrip(SPACE)), BARE, end)
    quoted = _VALUE[quote].match(text, at)
    if quoted is None:
        raise RefusedLine(NOT_CLOSED)
    rest = _AFTER_QUOTE.match(text, quoted.end())
    if rest is None:
        raise RefusedLine(AFTER_QUOTE)
    value = quoted[1].replace("\\'", "'") if quote == "'" else _unescaped(quoted[1])
    return Statement(found[1], value, QUOTED[quote], rest.end())


def _unescaped(text: str) -> str:
    def replaced(found: re.Match[str]) -> str:
        escape, variable = found.groups()
        if escape is None:
            return _dollar(variable)
        if escape in ("0", "c"):
            raise RefusedLine(f"compose reads \\{escape} as part of a code: write the character itself")
        return _ESCAPED.get(escape, found[0])

    return _ESCAPE.sub(replaced, text)


def _without_dollars(text: str) -> str:
    return _DOLLAR.sub(lambda found: _dollar(found[1]), text)


def _dollar(variable: str | None) -> str:
    if variable:
        raise RefusedLine(
            "compose replaces a variable here, whose value is not in the file: write $$ for a dollar sign"
        )
    return "$"
