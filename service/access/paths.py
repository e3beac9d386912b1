"""The syntax of paths, such as ``team/app/db-password``."""

from __future__ import annotations

import re

from ..errors import InvalidFields
from . import token_format

MAX_CHARACTERS = 512
RULE = (
    "a path is segments of letters, digits and . _ - @ + = : , ~ separated by single slashes (none at the"
    f" start or the end), up to {MAX_CHARACTERS} characters; no segment may be . or .., and a path must not"
    " contain a token"
)

# Sorts after every path: no path contains a character this high.
_LAST = "\x7f"
_SEGMENT = r"(?!\.{1,2}(?:/|$))[A-Za-z0-9._@+=:,~-]+"
PATTERN = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*", re.ASCII)


def is_path(text: str) -> bool:
    """Return whether ``text`` is a path."""
    if len(text) > MAX_CHARACTERS or token_format.is_within(text):
        return False
    return PATTERN.fullmatch(text) is not None


def require_path(text: str, field: str = "path") -> None:
    """Check that ``text`` is a path.

    Raises:
        InvalidFields: it is not; the error is reported for ``field`` and states the rule.
    """
    if not is_path(text):
        raise InvalidFields({field: [RULE]})


def end_of(prefix: str) -> str:
    """Return the string that sorts directly after every path that begins with ``prefix``."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1) if prefix else _LAST


def folder(text: str) -> str:
    """Return a folder with a trailing slash, added if missing; the empty string stands for all paths.

    Raises:
        InvalidFields: it is not a path; the error is reported for ``prefix`` and states the rule.
    """
    name = text.removesuffix("/")
    if name:
        require_path(name, "prefix")
    return f"{name}/" if name else ""
