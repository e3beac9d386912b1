"""What a path looks like: ``team/app/db-password``."""

from __future__ import annotations

import re

from ..errors import InvalidFields
from . import token_format

MAX_CHARACTERS = 512
RULE = (
    "a path is segments of letters, digits and . _ - @ + = : , ~ with single slashes between them,"
    f" up to {MAX_CHARACTERS} characters; no segment is . or .., and none is a token"
)

_SEGMENT = r"(?!\.{1,2}(?:/|$))[A-Za-z0-9._@+=:,~-]+"
PATTERN = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*", re.ASCII)


def is_path(text: str) -> bool:
    """Return whether ``text`` is a path."""
    if len(text) > MAX_CHARACTERS or token_format.is_within(text):
        return False
    return PATTERN.fullmatch(text) is not None


def require_path(text: str, field: str = "path") -> None:
    """Return where ``text`` is a path.

    Raises:
        InvalidFields: it is not; the message has the rule, for the ``field`` that it came in.
    """
    if not is_path(text):
        raise InvalidFields({field: [RULE]})


def folder(text: str) -> str:
    """Return a folder with its slash, written with or without it; the empty one holds every path.

    Raises:
        InvalidFields: it is none; the message has the rule.
    """
    name = text.removesuffix("/")
    if name:
        require_path(name, "prefix")
    return f"{name}/" if name else ""
