"""Converts secrets to documents and back.

A missing field has its default, so documents of earlier versions of this service can be read.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from types import NoneType
from typing import Any

from ..errors import Tampered
from ..models import Envelope
from ..records import MAX_VERSIONS, LegacyValue, Secret, Version
from .database import Document, expect_type

# Name (the same in record and document): default, type.
_SECRET: dict[str, tuple[Any, type]] = {
    "created_at": (None, datetime),
    "created_by": (None, str),
    "updated_at": (None, datetime),
    "path": (None, str),
    "former_path": (None, str),
    "owner": (None, str),
    "tag": (None, bytes),
    "max_versions": (MAX_VERSIONS, int),
    "cas_required": (False, bool),
    "delete_version_after": (None, int),
    "expires_at": (None, datetime),
    "deleted_at": (None, datetime),
    "deleted_by": (None, str),
    "destroyed_at": (None, datetime),
    "destroyed_by": (None, str),
    "max_reads": (None, int),
    "reads_left": (None, int),
    "read_at": (None, datetime),
    "read_from": (None, str),
    "read_by": (None, str),
    "revision": (None, int),
}
_VERSION: dict[str, tuple[Any, type]] = {
    "created_by": (None, str),
    "expires_at": (None, datetime),
    "deleted_at": (None, datetime),
    "deleted_by": (None, str),
    "destroyed_at": (None, datetime),
    "destroyed_by": (None, str),
}
# The value of "shelf", by which listings filter; absent while the secret is in use.
_SHELVES = {"deleted_at": "deleted", "destroyed_at": "destroyed"}
# All fields; a document of an earlier implementation has its value in "ciphertext".
FIELDS = dict.fromkeys(("current", "labels", "shelf", "ciphertext", *_SECRET), True)
# A projection: payloads may be large, and nothing but fetching needs them.
WITHOUT_PAYLOADS = {"versions.payload": False}


def write(secret: Secret) -> Document:
    """Return the fields of a secret's document, without those that have their default.

    A secret of an earlier implementation has none of them: it is sealed again before it is changed.
    """
    if any(isinstance(version.sealed, LegacyValue) for version in secret.versions):
        return {}
    document = _plain(secret, _SECRET) | {
        "current": secret.current,
        "versions": [_write_version(version) for version in secret.versions],
    }
    if secret.labels:
        document["labels"] = [label(*pair) for pair in secret.labels]
    if (shelf := _shelf(secret)) is not None:
        document["shelf"] = shelf
    return document


def label(key: str, value: str) -> Document:
    """Return a label as stored; the index compares it as a whole, including the order of its fields."""
    return {"k": key, "v": value}


def read(document: Document) -> Secret:
    """Return the secret that is stored as this document.

    Raises:
        Tampered: the document is malformed.
    """
    # Anyone who can write to the database can put anything there: a malformed document counts as altered, and
    # must not cause any other error.
    with _map_malformed():
        if "ciphertext" in document:
            return _read_legacy(document)
        entries = expect_type(document["versions"], list)
        versions = tuple(_read_version(expect_type(entry, dict)) for entry in entries)
        # One without a value yet has no versions.
        if document["current"] not in [version.version for version in versions] and (
            document["current"] != 0 or versions
        ):
            raise Tampered("the current version is missing")
        secret = _read_secret(document, versions)
        if document.get("shelf") != _shelf(secret):
            raise Tampered("it is listed where it does not belong")
        return secret


@contextmanager
def _map_malformed() -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise Tampered("the document is not a valid secret") from None


def _shelf(secret: Secret) -> str | None:
    shelves = [shelf for field, shelf in _SHELVES.items() if getattr(secret, field) is not None]
    return shelves[-1] if shelves else None


def _plain(record: Secret | Version, fields: dict[str, tuple[Any, type]]) -> Document:
    values = {name: getattr(record, name) for name in fields}
    return {name: value for name, value in values.items() if value != fields[name][0]}


def _write_version(version: Version) -> Document:
    document = _plain(version, _VERSION) | {"version": version.version, "created_at": version.created_at}
    if isinstance(version.sealed, Envelope):
        document |= {"payload": version.sealed.payload, "data_key": version.sealed.data_key}
    return document


def _read_secret(document: Document, versions: tuple[Version, ...]) -> Secret:
    return Secret(
        secret_id=expect_type(document["_id"], str),
        current=expect_type(document["current"], int),
        versions=versions,
        labels=tuple(
            (expect_type(pair["k"], str), expect_type(pair["v"], str))
            for pair in expect_type(document.get("labels", []), list)
        ),
        **{"created_at": None, **_read_plain(document, _SECRET)},
    )


def _read_plain(document: Document, fields: dict[str, tuple[Any, type]]) -> dict[str, Any]:
    """Return the fields that the document has; the record has the same defaults for the others."""
    found = {name: value for name, value in document.items() if name in fields}
    for name, value in found.items():
        default, kind = fields[name]
        if not isinstance(value, kind) and (value is not None or default is not None):
            raise TypeError
    return found


def _read_version(document: Document) -> Version:
    data_key = expect_type(document.get("data_key"), bytes, NoneType)
    payload = expect_type(document.get("payload"), bytes, NoneType)
    return Version(
        version=expect_type(document["version"], int),
        created_at=expect_type(document["created_at"], datetime, NoneType),
        sealed=None if data_key is None else Envelope(payload, data_key),
        **_read_plain(document, _VERSION),
    )


def _read_legacy(document: Document) -> Secret:
    if {"path", "former_path", "owner"} & document.keys():
        # These records never had a path or an owner, and nothing authenticates one: somebody added it.
        raise Tampered("a record of an earlier implementation must not have a path or an owner")
    ciphertext = base64.b64decode(document["ciphertext"], validate=True)
    created_at = expect_type(document.get("created_at"), datetime, NoneType)
    return _read_secret(
        document | {"current": 1, "created_at": created_at},
        (Version(1, created_at, LegacyValue(ciphertext)),),
    )
