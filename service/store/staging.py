"""Staging collections hold a backup's documents, apart from the live ones, until it proves to be complete."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from bson.raw_bson import RawBSONDocument
from pymongo import ASCENDING
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from ..errors import ConfigurationError, Tampered
from ..models import (
    AuditRecord,
    Envelope,
    Status,
    StoredAppRole,
    StoredGrant,
    StoredSecretId,
    StoredShare,
    StoredToken,
)
from ..records import Secret
from . import (
    approles,
    audit,
    audit_keys,
    canary,
    checkpoints,
    grants,
    secret_documents,
    secret_ids,
    secrets,
    shares,
    tokens,
)
from .audit_keys import SealedAuditKey
from .backup_collections import INCLUDED, staging_name
from .canary import CanaryStore
from .database import DUPLICATE_KEY, Document, map_errors

Record = TypeVar("Record")

_BATCH_SIZE = 1000


class Staging:
    """The collections ``PURPOSE.secrets`` and so on.

    Every method raises StoreUnavailable if the database does not answer in time.
    """

    def __init__(self, database: Database[Document], purpose: str) -> None:
        self._database = database
        self._purpose = purpose

    def clear(self) -> None:
        """Drop them, including those that an interrupted run left behind.

        Raises:
            StoreUnavailable: some may still exist.
        """
        with map_errors():
            for name in INCLUDED:
                self.collection(name).drop()

    def put(self, collection: str, raw: bytes) -> int:
        """Insert documents, given as concatenated BSON, and return their number.

        Raises:
            StoreUnavailable: some may be missing.
            ConfigurationError: another restore or drill has already inserted them.
            Tampered: it is not BSON.
        """
        documents = _split(raw)
        with map_errors():
            try:
                for start in range(0, len(documents), _BATCH_SIZE):
                    batch = documents[start : start + _BATCH_SIZE]
                    self.collection(collection).insert_many(batch, ordered=False)
            except BulkWriteError as error:
                if any(failed["code"] != DUPLICATE_KEY for failed in error.details["writeErrors"]):
                    raise
                raise ConfigurationError(
                    "another restore or drill is running: wait until it ends, then run this again"
                ) from None
        return len(documents)

    def count(self, collection: str) -> int:
        """Return the number of documents."""
        with map_errors():
            return self.collection(collection).count_documents({})

    def secrets(self) -> Iterator[tuple[str, Secret | Tampered]]:
        """Yield all ids and secrets with all values; for a malformed document, the error instead."""
        return self._read(secrets.COLLECTION, secret_documents.read)

    def tokens(self) -> Iterator[tuple[str, StoredToken | Tampered]]:
        """Yield all tokens, like ``secrets``."""
        return self._read(tokens.COLLECTION, tokens.read)

    def shares(self) -> Iterator[tuple[str, StoredShare | Tampered]]:
        """Yield all shares, like ``secrets``."""
        return self._read(shares.COLLECTION, shares.read)

    def grants(self) -> Iterator[tuple[str, StoredGrant | Tampered]]:
        """Yield all grants, like ``secrets``."""
        return self._read(grants.COLLECTION, grants.read)

    def roles(self) -> Iterator[tuple[str, StoredAppRole | Tampered]]:
        """Yield all AppRoles, like ``secrets``."""
        return self._read(approles.COLLECTION, approles.read)

    def secret_ids(self) -> Iterator[tuple[str, StoredSecretId | Tampered]]:
        """Yield all secret ids of AppRoles, like ``secrets``."""
        return self._read(secret_ids.COLLECTION, secret_ids.read)

    def records(self) -> Iterator[tuple[str, AuditRecord | Tampered]]:
        """Yield all audit records, like ``secrets``."""
        return self._read(audit.COLLECTION, _read_record)

    def checkpoints(self) -> Iterator[tuple[str, Document | Tampered]]:
        """Yield all checkpoints as stored."""
        return self._read(checkpoints.CHECKPOINTS, lambda document: document)

    def meta(self) -> Iterator[tuple[str, Envelope | SealedAuditKey | Tampered | None]]:
        """Yield the documents of ``meta``, like ``secrets``: canary and audit keys; None for all others."""
        return self._read(canary.COLLECTION, _read_meta)

    def canary(self) -> Envelope | None:
        """Return the canary, or None if there is none.

        Raises:
            Tampered: the document is malformed.
        """
        return CanaryStore(self.collection(canary.COLLECTION)).find()

    def collection(self, name: str) -> Collection[Document]:
        """Return the staging collection for the collection ``name``."""
        return self._database[staging_name(self._purpose, name)]

    def _read(
        self, collection: str, read: Callable[[Document], Record]
    ) -> Iterator[tuple[str, Record | Tampered]]:
        with map_errors():
            found = self.collection(collection).find({}).sort("_id", ASCENDING)
            for document in found.batch_size(_BATCH_SIZE):
                try:
                    yield str(document["_id"]), read(document)
                except Tampered as error:
                    yield str(document["_id"]), error


def _read_record(document: Document) -> AuditRecord:
    # Its position in a chain is checked by the verification of the log.
    fields = {name: value for name, value in document.items() if name not in ("_id", "previous", "mac")}
    try:
        return AuditRecord(**(fields | {"status": Status(fields["status"])}))
    except (KeyError, TypeError, ValueError):
        raise Tampered("the document is not a valid audit record") from None


def _read_meta(document: Document) -> Envelope | SealedAuditKey | None:
    return audit_keys.read(document) if audit_keys.is_audit_key(document) else canary.read_any(document)


def _split(raw: bytes) -> list[RawBSONDocument]:
    """Return the documents without decoding them; each begins with its length."""
    documents, start = [], 0
    while start < len(raw):
        end = start + int.from_bytes(raw[start : start + 4], "little")
        if not start + 5 <= end <= len(raw):
            raise Tampered("the backup contains data that is not BSON")
        documents.append(RawBSONDocument(raw[start:end]))
        start = end
    return documents
