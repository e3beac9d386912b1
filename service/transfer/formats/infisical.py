"""Reads ``infisical export --format=json`` of Infisical's command line 0.41: an array of secrets.

The path is the folder, ``secretPath``, and the key.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import entries
from .entries import Entry, Unusable

# What Infisical shows to those who may see that there is a secret, but not its value.
_HIDDEN = "<hidden-by-infisical>"


def looks_like_it(document: object) -> bool:
    """Return whether a document is an array of objects with the fields of these."""
    return entries.are_all(document, {"key", "value", "type", "_id"})


def entries_of(document: Any) -> Iterator[Entry]:
    """Yield each secret."""
    for secret in document:
        yield Entry(
            _path(secret),
            _value(secret),
            [name for name in ("comment", "tags") if secret.get(name)],
        )


def _path(secret: Any) -> object:
    key, folder = secret["key"], secret.get("secretPath", "")
    if not isinstance(key, str) or not isinstance(folder, str):
        return None
    return f"{folder.strip('/')}/{key}" if folder.strip("/") else key


def _value(secret: Any) -> object:
    if secret["type"] != "shared":
        return Unusable(
            "it overrides a shared secret for one person only: export with --secret-overriding=false"
        )
    if secret["value"] == _HIDDEN:
        return Unusable("Infisical hid its value: export it with an identity that may read values")
    return secret["value"]
