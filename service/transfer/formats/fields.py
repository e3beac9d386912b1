"""Secrets that have fields: one secret with the JSON object of all fields, or one secret for each field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ... import strict_json
from ...access import paths
from .line import Line, LineError, NullLine, named_line, parsed_line, unfit_name

# Why fields are no value.
NO_BYTES = "a text in it has half a character (a lone surrogate), or it is nested too deeply"


def read(
    number: int, path: str, fields: Mapping[str, Any], *, split: bool, labels: object = None
) -> Iterator[Line]:
    """Yield the secrets of some fields at a path, which the user has written and may be malformed.

    The value is the JSON object of the fields, with sorted names and without white space.  With ``split``
    each field is a secret below the path: a text or bytes as they are, null as nothing, all else as JSON.
    """
    more = {"labels": labels} if labels else {}
    try:
        if not split:
            yield parsed_line(number, path, of_all(fields), **more)
            return
        folder = f"{path.rstrip('/')}/" if path else ""
        for name, value in fields.items():
            if not paths.is_path(name):
                yield unfit_name(number, name)
            elif value is None:
                yield NullLine(number, folder + name)
            else:
                yield parsed_line(number, folder + name, of_one(value), **more)
    except (ValueError, RecursionError):
        yield LineError(number, NO_BYTES)


def read_named(number: int, path: str, fields: Mapping[str, Any], *, split: bool) -> Iterator[Line]:
    """Yield the same for a path that is a name in the file, so that an error may show it."""
    if path and not paths.is_path(path):
        yield unfit_name(number, path)
    else:
        yield from read(number, path, fields, split=split)


def read_text(number: int, name: str, value: object, **more: object) -> Line:
    """Return the secret of a name whose value must be a text, or null."""
    if value is None:
        return NullLine(number, name)
    if not isinstance(value, str):
        return LineError(number, "its value is not a text")
    return named_line(number, name, value.encode(), **more)


def of_all(fields: Mapping[str, Any]) -> bytes:
    """Return the value of a secret that has all of some fields.

    Raises:
        ValueError: a text has half a character (a lone surrogate).
        RecursionError: it is nested too deeply.
    """
    return strict_json.write(fields).encode()


def of_one(value: object) -> bytes:
    """Return the value of a secret that has one field, which is not null; raises as ``of_all``."""
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else strict_json.write(value).encode()
