"""What the readers of all formats yield."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ...access import paths

_MAX_SHOWN = 80


@dataclass(frozen=True, slots=True)
class ParsedLine:
    """A secret in a line, counted from 1, as the body of ``create``.

    ``reading`` says how the line was read, if its format leaves a choice; it never contains a value.
    """

    number: int
    body: Mapping[str, Any] = field(repr=False)
    reading: str = ""


@dataclass(frozen=True, slots=True)
class NullLine:
    """A name whose value is null: there is nothing to import."""

    number: int
    path: str


@dataclass(frozen=True, slots=True)
class LineError:
    """Why a line has no valid secret; ``text`` never contains a value."""

    number: int
    text: str


Line: TypeAlias = ParsedLine | NullLine | LineError


def parsed_line(number: int, path: str, value: bytes, **more: object) -> ParsedLine:
    """Return a secret with this path and value; ``more`` are further fields of the body."""
    return ParsedLine(number, {"path": path, "secret": base64.b64encode(value).decode(), **more})


def named_line(number: int, path: str, value: bytes, **more: object) -> ParsedLine | LineError:
    """Return the same for a path that is a name in the file, so that an error may show it."""
    return parsed_line(number, path, value, **more) if paths.is_path(path) else unfit_name(number, path)


def unfit_name(number: int, name: str) -> LineError:
    """Return the error for a name in the file that cannot be a path."""
    # In ASCII and quoted, so that it cannot give commands to the terminal.
    shown = json.dumps(name[:_MAX_SHOWN]) + ("…" if len(name) > _MAX_SHOWN else "")
    return LineError(number, f"the name {shown} cannot be a path, so rename it: {paths.RULE}")
