"""What the exports of other programs have in common that are one document with an entry for each secret."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from ...access import paths
from . import documents, fields
from .line import Line, LineError, unfit_name


@dataclass(frozen=True, slots=True)
class Unusable:
    """Takes the place of a value that cannot be imported; ``why`` says what to do."""

    why: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A secret of an export; ``extras`` are its fields, such as a note, that no secret here has."""

    name: object
    value: object = field(repr=False)
    extras: Collection[str] = ()


def are_all(document: object, names: set[str]) -> bool:
    """Return whether this is an array of objects, at least one, which all have these names."""
    return (
        isinstance(document, list)
        and document != []
        and all(isinstance(entry, dict) and entry.keys() >= names for entry in document)
    )


def read(
    text: str,
    looks_like_it: Callable[[object], bool],
    entries_of: Callable[[Any], Iterator[Entry]],
    *,
    values_only: bool,
) -> Iterator[Line]:
    """Yield the secret or the error of each entry, with the number of the entry; extras are errors.

    With ``values_only`` extras are left out.
    """
    number = 0
    for found in documents.read_json(text):
        if isinstance(found, LineError):
            yield found
        elif not looks_like_it(found[1]):
            yield LineError(
                number + 1, "this is not such an export: leave --format out to hear what it looks like"
            )
        else:
            for entry in entries_of(found[1]):
                number += 1
                yield _line(number, entry, values_only=values_only)


def _line(number: int, entry: Entry, *, values_only: bool) -> Line:
    if not isinstance(entry.name, str):
        return LineError(number, "its name is not a text")
    if not paths.is_path(entry.name):
        return unfit_name(number, entry.name)
    if isinstance(entry.value, Unusable):
        return LineError(number, f"{entry.name}: {entry.value.why}")
    if entry.extras and not values_only:
        return LineError(number, extras_error(entry.name, entry.extras))
    return fields.read_text(number, entry.name, entry.value)


def extras_error(name: str, extras: Collection[str]) -> str:
    """Return the text of the error for what would be lost."""
    return (
        f"{name}: its {' and its '.join(extras)} would be lost: keep this elsewhere if it matters, then say"
        " --values-only"
    )
