r"""Reads ``.env`` files: one ``NAME=value`` per line.

There is no standard.  What python-dotenv and Docker Compose read in the same way is read like that: a
leading ``export``, comments, literal text in single quotes, the escapes ``\\ \" \n \r \t`` in double quotes,
and quoted text over several lines.  What they read differently is an error, because one of the readings
would be a wrong secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .line import LineError, ParsedLine, parsed_line

_BLANK = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_NAME = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*")
_SINGLE = re.compile(r"'([^']*)'")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_COMMENT = re.compile(r"[ \t]+#.*")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"\\": "\\", '"': '"', "n": "\n", "r": "\r", "t": "\t"}


class _Ambiguous(Exception):
    """The line is malformed or ambiguous; the message says how to write it unambiguously."""


def looks_like_it(text: str) -> bool:
    """Return whether the first line that is not blank or a comment is an assignment."""
    at = 0
    while at < len(text) and (blank := _BLANK.match(text, at)):
        at = blank.end()
    return _NAME.match(text, at) is not None


def read(text: str) -> Iterator[ParsedLine | LineError]:
    """Yield the secret or the error in each line; the path of a secret is its name."""
    text = text.replace("\r\n", "\n")
    at, number = 0, 1
    while at < len(text):
        start = at
        if blank := _BLANK.match(text, at):
            at = blank.end()
        else:
            try:
                name, value, at = _assignment(text, at)
                yield parsed_line(number, name, value.encode())
            except _Ambiguous as error:
                yield LineError(number, str(error))
                at = _line_end(text, at) + 1
        number += text.count("\n", start, at)


def _assignment(text: str, at: int) -> tuple[str, str, int]:
    """Return the name, the value and the position of the next line."""
    name = _NAME.match(text, at)
    if name is None:
        raise _Ambiguous("expected a name, an equals sign and a value")
    at = name.end()
    if text[at : at + 1] in ("'", '"'):
        value, at = _single(text, at) if text[at] == "'" else _double(text, at)
        rest = _BLANK.match(text, at)
        if rest is None:
            raise _Ambiguous("unexpected text after the closing quote")
        return name[1], value, rest.end()
    end = _line_end(text, at)
    return name[1], _bare(text[at:end]), end + 1


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _single(text: str, at: int) -> tuple[str, int]:
    quoted = _SINGLE.match(text, at)
    if quoted is None:
        raise _Ambiguous("the single quote is not closed")
    if "\\'" in quoted[0] or "\\\\" in quoted[1]:
        raise _Ambiguous("programs disagree on backslashes in single quotes: write double quotes, and \\\\")
    return quoted[1], quoted.end()


def _double(text: str, at: int) -> tuple[str, int]:
    quoted = _DOUBLE.match(text, at)
    if quoted is None:
        raise _Ambiguous("the double quote is not closed")
    if not _ESCAPED.keys() >= set(_ESCAPE.findall(quoted[1])):
        raise _Ambiguous('programs disagree on escapes other than \\\\ \\" \\n \\r \\t')
    _require_no_dollar(quoted[1])
    return _ESCAPE.sub(lambda escape: _ESCAPED[escape[1]], quoted[1]), quoted.end()


def _bare(text: str) -> str:
    if text.startswith("#"):
        raise _Ambiguous("programs disagree on whether this is a comment: write it in single quotes")
    value = _COMMENT.sub("", text).strip()
    _require_no_dollar(value)
    return value


def _require_no_dollar(text: str) -> None:
    if "$" in text:
        raise _Ambiguous("programs disagree on what a dollar sign stands for: write it in single quotes")
