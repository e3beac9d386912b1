"""What the readers of all formats yield."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ParsedLine:
    """A secret in a line, counted from 1, as the body of ``create``.

    ``reading`` says how the line was read, if its format leaves a choice; it never contains a value.
    """

    number: int
    body: Mapping[str, Any] = field(repr=False)
    reading: str = ""


@dataclass(frozen=True, slots=True)
class LineError:
    """Why a line has no valid secret; ``text`` never contains a value."""

    number: int
    text: str


def parsed_line(number: int, path: str, value: bytes, **more: object) -> ParsedLine:
    """Return a secret with this path and value; ``more`` are further fields of the body."""
    return ParsedLine(number, {"path": path, "secret": base64.b64encode(value).decode(), **more})
