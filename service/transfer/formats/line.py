"""What the readers of all formats return."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ParsedLine:
    """A secret that was found at a line, counted from 1, as the body of ``create`` would have it."""

    number: int
    body: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class LineError:
    """Why there is none to be had at a line; ``text`` never has a value in it."""

    number: int
    text: str


def parsed_line(number: int, path: str, value: bytes, **more: object) -> ParsedLine:
    """Return the secret of this path and value, with further fields of the body."""
    return ParsedLine(number, {"path": path, "secret": base64.b64encode(value).decode(), **more})
