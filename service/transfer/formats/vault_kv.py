"""Reads the output of ``vault kv get -format=json`` of HashiCorp Vault or OpenBao, for KV versions 1 and 2.

A file may have several documents.  They do not contain their path, so the user adds it as ``path``; without
it, the path is empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...strict_json import describe_name
from . import documents, fields, foreign
from .line import Line, LineError

# Those of every response of Vault, and the user's.
_NAMES = frozenset(
    [
        "auth",
        "data",
        "lease_duration",
        "lease_id",
        "mount_type",
        "path",
        "renewable",
        "request_id",
        "warnings",
        "wrap_info",
    ]
)


def looks_like_it(document: object) -> bool:
    """Return whether a document looks like one of these, and says of itself that it is nothing else."""
    return (
        isinstance(document, dict)
        and isinstance(document.get("data"), dict)
        and foreign.describe(document) is None
    )


def read(text: str, *, split: bool) -> Iterator[Line]:
    """Yield the secrets or the error in each document, with the number of the document's first line."""
    for found in documents.read_json(text):
        if isinstance(found, LineError):
            yield found
        else:
            yield from _secrets(*found, split=split)


def _secrets(number: int, document: Any, *, split: bool) -> Iterator[Line]:
    if what := foreign.describe(document):
        yield LineError(number, f"this looks like {what}")
        return
    if not looks_like_it(document):
        yield LineError(number, "it has no `data` object as `vault kv get -format=json` prints it")
        return
    if unknown := [name for name in document if name not in _NAMES]:
        yield LineError(number, f"there is an unknown field beside `data`, {describe_name(unknown[0])}")
        return
    path = document.get("path", "")
    if not isinstance(path, str):
        yield LineError(number, "its `path` is not a string")
        return
    found, labels = _fields(document["data"])
    if not isinstance(found, dict):
        yield LineError(number, "it has no data: this version was deleted or destroyed")
        return
    yield from fields.read(number, path, found, split=split, labels=labels)


def _fields(data: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the fields of a secret, and the custom metadata of KV version 2 (None in version 1)."""
    metadata = data.get("metadata")
    if data.keys() == {"data", "metadata"} and isinstance(metadata, dict) and "created_time" in metadata:
        return data["data"], metadata.get("custom_metadata")
    return data, None
