"""Where secrets are kept: one document each, so that every change is one atomic operation."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import NoneType
from typing import Any

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from ..errors import PathTaken, Tampered
from ..models import Envelope, LegacySecret, Reach, SealedVersion
from .client import Document, translated, typed

COLLECTION = "secrets"


@dataclass(frozen=True, slots=True)
class Name:
    """What a caller calls a secret: its id or its path."""

    text: str
    is_path: bool = False


class SecretStore:
    """The collection ``secrets``."""

    def __init__(self, database: Database[Document]) -> None:
        self._collection = database[COLLECTION]

    def insert(self, sealed: SealedVersion) -> None:
        """Keep the first version of a new secret.

        Raises:
            PathTaken: another secret has its path.
            StoreUnavailable: it may or may not have been kept.
        """
        named = {"path": sealed.path, "owner": sealed.owner, "tag": sealed.tag}
        with translated(), _path_taken():
            self._collection.insert_one(
                {
                    "_id": sealed.secret_id,
                    **{name: value for name, value in named.items() if value is not None},
                    "current": sealed.version,
                    "versions": [
                        {
                            "version": sealed.version,
                            "payload": sealed.envelope.payload,
                            "data_key": sealed.envelope.data_key,
                            "created_at": sealed.created_at,
                        }
                    ],
                    "created_at": sealed.created_at,
                }
            )

    def find(
        self, names: Sequence[Name], reach: Reach
    ) -> dict[Name, SealedVersion | LegacySecret | Tampered]:
        """Return the current version of those secrets that there are and that ``reach`` covers.

        What it does not cover is not found: the database looks and transfers no more for it than for
        a secret that does not exist.  In the place of a document that neither this service nor its
        forerunner wrote there is the error, so that it does not hide the others.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        with translated():
            documents = list(self._collection.find({"$and": [_named(names), _reached(reach)]}))
        found = {document["_id"]: document for document in documents}
        by_path = {path: document for document in documents if isinstance(path := document.get("path"), str)}
        return {
            name: _read_or_error(document)
            for name in names
            if (document := (by_path if name.is_path else found).get(name.text)) is not None
        }

    def existing(self, names: Sequence[Name]) -> frozenset[Name]:
        """Return which of these there are, whoever asks; for the audit log alone.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        with translated():
            documents = list(self._collection.find(_named(names), {"path": True}))
        known = {Name(document["_id"]) for document in documents}
        known |= {
            Name(path, is_path=True)
            for document in documents
            if isinstance(path := document.get("path"), str)
        }
        return frozenset(known.intersection(names))

    def find_any(self) -> SealedVersion | LegacySecret | None:
        """Return one secret, whichever comes first, or None where the collection is empty.

        Raises:
            StoreUnavailable: the database did not answer.
            Tampered: its document is none that this service or its forerunner wrote.
        """
        with translated():
            document = self._collection.find_one()
        return None if document is None else _read(document)


@contextmanager
def _path_taken() -> Iterator[None]:
    """Raise what it means that an index allows only one.

    Raises:
        PathTaken: it was the path's.  Two secrets never get the same id by chance.
    """
    try:
        yield
    except DuplicateKeyError:
        raise PathTaken from None


def _named(names: Sequence[Name]) -> Document:
    return {
        "$or": [
            {"_id": {"$in": [name.text for name in names if not name.is_path]}},
            {"path": {"$in": [name.text for name in names if name.is_path]}},
        ]
    }


def _reached(reach: Reach) -> Document:
    if reach.everything:
        return {}
    below = [re.compile("^" + re.escape(folder)) for folder in reach.folders]
    return {"$or": [{"path": {"$in": [*reach.paths, *below]}}, {"owner": reach.owner}]}


def _read_or_error(document: Document) -> SealedVersion | LegacySecret | Tampered:
    try:
        return _read(document)
    except Tampered as error:
        return error


def _read(document: dict[str, Any]) -> SealedVersion | LegacySecret:
    # Whoever can write to the database can put anything there: what does not have the shape that
    # was written is an altered record, and no reason to fail in some other way.
    try:
        if "ciphertext" in document:
            if {"path", "owner"} & document.keys():
                # Nothing ties such a record to a place, and it never had one: it was put there.
                raise Tampered("a record of an earlier implementation has neither path nor owner")
            return LegacySecret(
                secret_id=document["_id"],
                ciphertext=base64.b64decode(document["ciphertext"], validate=True),
                created_at=document.get("created_at"),
            )
        (version,) = (v for v in document["versions"] if v["version"] == document["current"])
        return SealedVersion(
            secret_id=document["_id"],
            version=version["version"],
            envelope=Envelope(
                payload=typed(version["payload"], bytes), data_key=typed(version["data_key"], bytes)
            ),
            created_at=typed(version["created_at"], datetime),
            path=typed(document.get("path"), str, NoneType),
            owner=typed(document.get("owner"), str, NoneType),
            tag=typed(document.get("tag"), bytes, NoneType),
        )
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise Tampered("not of the shape in which secrets are stored") from None
