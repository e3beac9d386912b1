r"""Reads ``.env`` files as python-dotenv 1.2 does, with ``interpolate`` as it is by default.

A file that is opened as text has no carriage returns: each is a line's end.  ``${NAME}`` is a variable in
every kind of quotes, and cannot be escaped.
"""

from __future__ import annotations

import re

from .assignment import (
    AFTER_QUOTE,
    BARE,
    ESCAPES,
    NO_EQUALS_SIGN,
    NOT_CLOSED,
    QUOTED,
    Reading,
    RefusedLine,
    Statement,
    line_end,
    statements,
)

_BLANK = re.compile(r"\s*(?:#[^\n]*\s*)*")
_NAME = re.compile(r"(?:export[^\S\n]+)?+(?:'([^']+)'|([^=#\s'][^=#\s]*))[^\S\n]*=([^\S\n]*)")
_VALUE = {
    "'": re.compile(r"'((?:\\.|[^'\\])*)'", re.DOTALL),
    '"': re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL),
}
_AFTER_QUOTE = re.compile(r"[^\S\n]*(?:#[^\n]*)?(?=\n|\Z)")
_ESCAPE = {"'": re.compile(r"\\([\\'])"), '"': re.compile(r"\\([\\'\"abfnrtv])")}
_COMMENT = re.compile(r"\s+#.*")
_VARIABLE = re.compile(r"\$\{[^}:]*(?::-[^}]*)?\}")


def read(text: str) -> Reading:
    """Yield the assignment or the error in each line."""
    return statements(re.sub("\r\n?", "\n", text), _BLANK, _statement)


def _statement(text: str, at: int) -> Statement:
    found = _NAME.match(text, at)
    if found is None:
        line = text[at : line_end(text, at)]
        raise RefusedLine("python skips this line: write NAME=value" if "=" in line else NO_EQUALS_SIGN)
    value, quotes, end = _value(text, found.end(), after_space=bool(found[3]))
    if _VARIABLE.search(value):
        raise RefusedLine(
            "python replaces ${NAME} in any quotes: take the line out, and store its value by itself"
        )
    return Statement(found[1] or found[2], value, quotes, end)


def _value(text: str, at: int, *, after_space: bool) -> tuple[str, str, int]:
    """Return the value, its quotes and where it ends."""
    quote = text[at : at + 1]
    end = line_end(text, at)
    if quote == "#" and after_space:
        return "", BARE, end
    if quote not in _VALUE:
        return _COMMENT.sub("", text[at:end]).rstrip(), BARE, end
    quoted = _VALUE[quote].match(text, at)
    if quoted is None:
        raise RefusedLine(NOT_CLOSED)
    rest = _AFTER_QUOTE.match(text, quoted.end())
    if rest is None:
        raise RefusedLine(AFTER_QUOTE)
    value = _ESCAPE[quote].sub(lambda escape: ESCAPES.get(escape[1], escape[1]), quoted[1])
    return value, QUOTED[quote], rest.end()
