"""Reads items of 1Password as ``op item get ITEM --format json`` of its command line 2 prints them.

A file may have several items, one after the other.  The path is the title; a field's name is its label, below
that of its section.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...access import paths
from . import documents, entries, fields, foreign
from .line import Line, LineError, unfit_name


class _Lossy(Exception):
    """The item cannot be imported as a whole; the message says what to do."""


def looks_like_it(document: object) -> bool:
    """Return whether a document has what every item has."""
    return (
        isinstance(document, dict)
        and document.keys() >= {"id", "title", "category", "vault"}
        and isinstance(document.get("fields", []), list)
    )


def read(text: str, *, split: bool, values_only: bool) -> Iterator[Line]:
    """Yield the secrets or the error of each item, with the number of the item's first line."""
    for found in documents.read_json(text):
        if isinstance(found, LineError):
            yield found
            continue
        number, item = found
        if not looks_like_it(item):
            yield LineError(number, "it is no item as `op item get ITEM --format json` prints it")
            continue
        if not isinstance(item["title"], str):
            yield LineError(number, "its title is not a text")
            continue
        if not paths.is_path(item["title"]):
            yield unfit_name(number, item["title"])
            continue
        try:
            values = _values(item, values_only=values_only)
        except _Lossy as error:
            yield LineError(number, str(error))
        else:
            yield from fields.read_named(number, item["title"], values, split=split)


def _values(item: Any, *, values_only: bool) -> dict[str, str]:
    title = item["title"]
    if item.get("files"):
        raise _Lossy(
            f"{title}: its files are not in this output: store each by itself (op read), then take `files`"
            " out (jq 'del(.files)')"
        )
    extras = [name for name in ("tags", "urls") if item.get(name)]
    if extras and not values_only:
        raise _Lossy(entries.extras_error(title, extras))
    values: dict[str, str] = {}
    for field in item.get("fields", []):
        name = _name(field)
        if name is None:
            raise _Lossy(f"{title}: a field has no label")
        if name in values:
            raise _Lossy(f"{title}: two fields are named {foreign.quoted(name)}: rename one")
        # A field that was left empty has no value.
        value = field.get("value")
        if value is not None and not isinstance(value, str):
            raise _Lossy(f"{title}: the value of {foreign.quoted(name)} is not a text")
        if value is not None:
            values[name] = value
    if not values:
        raise _Lossy(f"{title}: it has no field with a value; `op item list` prints none of them")
    return values


def _name(field: Any) -> str | None:
    match field:
        case {"label": str(label), "section": {"label": str(section)}} if label and section:
            return f"{section}/{label}"
        case {"label": str(label)} if label:
            return label
        case {"id": str(name)} if name:
            return name
    return None
