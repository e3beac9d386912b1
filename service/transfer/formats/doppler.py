"""Reads Doppler's secrets as its command line 3 prints them, in JSON.

``doppler secrets download --no-file --format json`` is an object of names and values; it is recognised by the
three names that Doppler adds.  ``doppler secrets --json`` has an object for each name, and what is computed
is the value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import entries
from .entries import Entry, Unusable

_ADDED = {"DOPPLER_CONFIG", "DOPPLER_ENVIRONMENT", "DOPPLER_PROJECT"}


def looks_like_it(document: object) -> bool:
    """Return whether a document has the names that Doppler adds, or its fields for each name."""
    if not isinstance(document, dict) or not document:
        return False
    return document.keys() >= _ADDED or entries.are_all(list(document.values()), {"computed"})


def entries_of(document: Any) -> Iterator[Entry]:
    """Yield each secret."""
    for name, found in document.items():
        if not isinstance(found, dict):
            yield Entry(name, found)
        elif found.get("computed") is None:
            yield Entry(
                name, Unusable("Doppler restricts it, and did not export its value: store it by itself")
            )
        else:
            yield Entry(name, found["computed"], ["note"] if found.get("note") else [])
