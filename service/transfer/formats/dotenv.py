r"""Reads ``.env`` files: ``NAME=value``, a line each.

There is no standard.  What python-dotenv and Docker Compose read alike is read like that: ``export`` in
front, comments, single quotes around what is taken as it is, double quotes around what has ``\\ \" \n \r \t``
in it, both over several lines.  What they read in different ways is refused: one of the two would be a
wrong secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .line import LineError, ParsedLine, parsed_line

_NOTHING = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_NAME = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*")
_SINGLE = re.compile(r"'([^']*)'")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_COMMENT = re.compile(r"[ \t]+#.*")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"\\": "\\", '"': '"', "n": "\n", "r": "\r", "t": "\t"}


class _Doubtful(Exception):
    """The value could mean several things; the message says how to write it so that it means one."""


def looks_like_it(text: str) -> bool:
    """Return whether the first line that says anything gives a name a value."""
    at = 0
    while at < len(text) and (nothing := _NOTHING.match(text, at)):
        at = nothing.end()
    return _NAME.match(text, at) is not None


def read(text: str) -> Iterator[ParsedLine | LineError]:
    """Return the secret or the problem of each line; the path of a secret is its name."""
    text = text.replace("\r\n", "\n")
    at, number = 0, 1
    while at < len(text):
        start = at
        if nothing := _NOTHING.match(text, at):
            at = nothing.end()
        else:
            try:
                name, value, at = _assignment(text, at)
                yield parsed_line(number, name, value.encode())
            except _Doubtful as doubt:
                yield LineError(number, str(doubt))
                at = _line_end(text, at) + 1
        number += text.count("\n", start, at)


def _assignment(text: str, at: int) -> tuple[str, str, int]:
    """Return the name, the value and where the next line begins."""
    name = _NAME.match(text, at)
    if name is None:
        raise _Doubtful("a name, an equals sign and a value are expected")
    at = name.end()
    if text[at : at + 1] in ("'", '"'):
        value, at = _single(text, at) if text[at] == "'" else _double(text, at)
        rest = _NOTHING.match(text, at)
        if rest is None:
            raise _Doubtful("there is something behind the closing quote")
        return name[1], value, rest.end()
    end = _line_end(text, at)
    return name[1], _bare(text[at:end]), end + 1


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _single(text: str, at: int) -> tuple[str, int]:
    quoted = _SINGLE.match(text, at)
    if quoted is None:
        raise _Doubtful("the single quote is not closed")
    if "\\'" in quoted[0] or "\\\\" in quoted[1]:
        raise _Doubtful("programs disagree on backslashes in single quotes: write double quotes, and \\\\")
    return quoted[1], quoted.end()


def _double(text: str, at: int) -> tuple[str, int]:
    quoted = _DOUBLE.match(text, at)
    if quoted is None:
        raise _Doubtful("the double quote is not closed")
    if not _ESCAPED.keys() >= set(_ESCAPE.findall(quoted[1])):
        raise _Doubtful('programs disagree on escapes other than \\\\ \\" \\n \\r \\t')
    _require_no_dollar(quoted[1])
    return _ESCAPE.sub(lambda escape: _ESCAPED[escape[1]], quoted[1]), quoted.end()


def _bare(text: str) -> str:
    if text.startswith("#"):
        raise _Doubtful("programs disagree on whether this is a comment: write it in single quotes")
    value = _COMMENT.sub("", text).strip()
    _require_no_dollar(value)
    return value


def _require_no_dollar(text: str) -> None:
    if "$" in text:
        raise _Doubtful("programs disagree on what a dollar sign stands for: write it in single quotes")
