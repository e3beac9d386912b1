"""Reads everything in a backup as of one point in time, regardless of later writes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import bson
from pymongo import ASCENDING, DESCENDING, MongoClient
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import OperationFailure

from ..errors import ConfigurationError
from ..models import EncryptedItem
from . import approles, canary, checkpoints, grants, secret_ids, secrets, shares, tokens
from .backup_collections import INCLUDED
from .database import Document, map_errors

# Per round trip; MongoDB sends at most 16 MiB at a time, which a few large secrets fill.
_BATCH_SIZE = 1000
_ATTEMPTS, _PAUSE_SECONDS = 20, 0.5
# Server error codes (MongoDB's error_codes.yml).
_TOO_OLD, _UNAVAILABLE = 239, 246


@dataclass(frozen=True, slots=True)
class Batch:
    """Some documents of a collection, as concatenated BSON; ``sealed`` is what in them is under a key."""

    collection: str
    documents: bytes
    count: int
    sealed: Sequence[tuple[EncryptedItem, bytes]]


class Snapshot:
    """One point in time; ``cluster_time`` is its MongoDB timestamp: seconds, and a counter within the second.

    Every method raises StoreUnavailable if the database does not answer in time.
    """

    def __init__(self, database: Database[Document], session: ClientSession, at: tuple[int, int]) -> None:
        self._database = database
        self._session = session
        self.cluster_time = at

    @property
    def time(self) -> datetime:
        """The point in time, to the second, in UTC."""
        return datetime.fromtimestamp(self.cluster_time[0], UTC)

    def count(self) -> int:
        """Return the approximate number of documents."""
        with map_errors():
            return sum(self._database[name].estimated_document_count() for name in INCLUDED)

    def newest_checkpoint(self) -> Document | None:
        """Return the newest checkpoint of the audit log as stored, or None if there is none."""
        with map_errors(), _map_snapshot_errors():
            return self._database[checkpoints.CHECKPOINTS].find_one(
                sort=[("_id", DESCENDING)], session=self._session
            )

    def batches(self) -> Iterator[Batch]:
        """Yield everything, collection by collection.

        Raises:
            ConfigurationError: it took longer than MongoDB keeps the snapshot.
        """
        for name in INCLUDED:
            with map_errors(), _map_snapshot_errors():
                found = self._database[name].find_raw_batches(
                    {}, sort=[("_id", ASCENDING)], batch_size=_BATCH_SIZE, session=self._session
                )
                raw: bytes
                for raw in found:  # type: ignore[assignment]  # pymongo annotates it as a cursor of documents
                    documents = bson.decode_all(raw)
                    sealed = [item for document in documents for item in _sealed(name, document)]
                    yield Batch(name, raw, len(documents), sealed)


@contextmanager
def take_snapshot(client: MongoClient[Document], database: Database[Document]) -> Iterator[Snapshot]:
    """Fix a point in time for all following reads: that of the first read.

    Raises:
        StoreUnavailable: the database did not answer.
        ConfigurationError: collections or indexes are being created.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        with client.start_session(snapshot=True) as session:
            try:
                with map_errors():
                    at = _fix_time(database, session)
            except _SnapshotUnavailable:
                # A collection or an index is newer than the point in time: a service that has just started
                # creates them.  A later point in time does not have this problem.
                if attempt == _ATTEMPTS:
                    raise ConfigurationError(
                        "collections or indexes are being created: run the backup again"
                    ) from None
                time.sleep(_PAUSE_SECONDS)
                continue
            yield Snapshot(database, session, at)
            return


class _SnapshotUnavailable(Exception):
    """A read at this point in time is not possible."""


def _fix_time(database: Database[Document], session: ClientSession) -> tuple[int, int]:
    at = None
    for name in INCLUDED:
        try:
            found = database.command({"find": name, "limit": 1, "projection": {"_id": True}}, session=session)
        except OperationFailure as error:
            if error.code == _UNAVAILABLE:
                raise _SnapshotUnavailable from None
            raise
        # A read of a missing collection does not fix a time.
        if (timestamp := found["cursor"].get("atClusterTime")) is not None:
            at = (timestamp.time, timestamp.inc)
    if at is None:
        raise _SnapshotUnavailable
    return at


@contextmanager
def _map_snapshot_errors() -> Iterator[None]:
    try:
        yield
    except OperationFailure as error:
        if error.code not in (_TOO_OLD, _UNAVAILABLE):
            raise
        raise ConfigurationError(
            "the backup took longer than MongoDB keeps a snapshot (or collections or indexes were changed"
            " during it): write its output to something faster, or raise mongod's"
            " minSnapshotHistoryWindowInSeconds (default: 300)"
        ) from None


def _sealed(collection: str, document: Document) -> Iterator[tuple[EncryptedItem, bytes]]:
    match collection:
        case secrets.COLLECTION:
            if "ciphertext" in document:
                yield EncryptedItem.LEGACY, b""
            if "tag" in document:
                yield EncryptedItem.SECRET_TAG, _bytes(document["tag"])
            for version in _list(document.get("versions")):
                if isinstance(version, dict) and "data_key" in version:
                    yield EncryptedItem.VERSION, _bytes(version["data_key"])
        case tokens.COLLECTION | shares.COLLECTION:
            yield EncryptedItem.TOKEN_TAG, _bytes(document.get("tag"))
        case grants.COLLECTION:
            yield EncryptedItem.GRANT_TAG, _bytes(document.get("tag"))
        case approles.COLLECTION | secret_ids.COLLECTION:
            yield EncryptedItem.APPROLE_TAG, _bytes(document.get("tag"))
        case canary.COLLECTION if "data_key" in document:
            yield EncryptedItem.VERSION, _bytes(document["data_key"])


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
