"""A backup's collections, apart from everything, until it is shown that they are whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from bson.raw_bson import RawBSONDocument
from pymongo import ASCENDING
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from ..errors import ConfigurationError, Tampered
from ..models import AuditRecord, Envelope, Status, StoredToken
from ..records import Secret
from . import audit, audit_keys, canary, checkpoints, secret_documents, secrets, tokens
from .audit_keys import SealedAuditKey
from .backup_collections import INCLUDED, staging_name
from .database import DUPLICATE_KEY, Document, map_errors

Record = TypeVar("Record")

_AT_ONCE = 1000


class Staging:
    """The collections ``PURPOSE.secrets`` and so on."""

    def __init__(self, database: Database[Document], purpose: str) -> None:
        self._database = database
        self._purpose = purpose

    def clear(self) -> None:
        """Remove them, those included that one left behind that was killed.

        Raises:
            StoreUnavailable: some may be there still.
        """
        with map_errors():
            for name in INCLUDED:
                self.collection(name).drop()

    def put(self, collection: str, raw: bytes) -> int:
        """Add documents, BSON one behind the other, and return how many those are.

        Raises:
            StoreUnavailable: some may be missing.
            ConfigurationError: they are there already.
            Tampered: it is no BSON.
        """
        found = _split(raw)
        with map_errors():
            try:
                for start in range(0, len(found), _AT_ONCE):
                    self.collection(collection).insert_many(found[start : start + _AT_ONCE], ordered=False)
            except BulkWriteError as error:
                if any(one["code"] != DUPLICATE_KEY for one in error.details["writeErrors"]):
                    raise
                raise ConfigurationError("another one like this is at work: let it end first") from None
        return len(found)

    def count(self, collection: str) -> int:
        """Return how many documents there are.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        with map_errors():
            return self.collection(collection).count_documents({})

    def secrets(self) -> Iterator[tuple[str, Secret | Tampered]]:
        """Yield all secrets with all values and their ids; an error in the place of what is none.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        return self._read(secrets.COLLECTION, secret_documents.read)

    def tokens(self) -> Iterator[tuple[str, StoredToken | Tampered]]:
        """Yield all tokens likewise."""
        return self._read(tokens.COLLECTION, tokens.read)

    def records(self) -> Iterator[tuple[str, AuditRecord | Tampered]]:
        """Yield all audit records likewise."""
        return self._read(audit.COLLECTION, _read_record)

    def checkpoints(self) -> Iterator[tuple[str, Document | Tampered]]:
        """Yield all checkpoints as they are stored."""
        return self._read(checkpoints.CHECKPOINTS, lambda document: document)

    def meta(self) -> Iterator[tuple[str, Envelope | SealedAuditKey | Tampered | None]]:
        """Yield what is in ``meta`` likewise: canary, audit keys, and None for what nobody sealed."""
        return self._read(canary.COLLECTION, _read_meta)

    def collection(self, name: str) -> Collection[Document]:
        """Return the collection in which those of ``name`` lie."""
        return self._database[staging_name(self._purpose, name)]

    def _read(
        self, collection: str, read: Callable[[Document], Record]
    ) -> Iterator[tuple[str, Record | Tampered]]:
        with map_errors():
            found = self.collection(collection).find({}).sort("_id", ASCENDING)
            for document in found.batch_size(_AT_ONCE):
                try:
                    yield str(document["_id"]), read(document)
                except Tampered as error:
                    yield str(document["_id"]), error


def _read_record(document: Document) -> AuditRecord:
    # Its place in a chain is the business of those who verify the log.
    fields = {name: value for name, value in document.items() if name not in ("_id", "previous", "mac")}
    try:
        return AuditRecord(**(fields | {"status": Status(fields["status"])}))
    except (KeyError, TypeError, ValueError):
        raise Tampered("not of the shape in which audit records are stored") from None


def _read_meta(document: Document) -> Envelope | SealedAuditKey | None:
    return audit_keys.read(document) if audit_keys.is_one(document) else canary.read_any(document)


def _split(raw: bytes) -> list[RawBSONDocument]:
    """Return the documents without decoding them; each begins with its length."""
    found, start = [], 0
    while start < len(raw):
        end = start + int.from_bytes(raw[start : start + 4], "little")
        if not start + 5 <= end <= len(raw):
            raise Tampered("what was kept are no documents")
        found.append(RawBSONDocument(raw[start:end]))
        start = end
    return found
