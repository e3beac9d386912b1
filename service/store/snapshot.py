"""All that a backup keeps, as it was at one point in time, whatever is written meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import bson
from pymongo import ASCENDING, MongoClient
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import OperationFailure

from ..errors import ConfigurationError
from ..models import EncryptedItem
from . import canary, secrets, tokens
from .backup_collections import INCLUDED
from .database import Document, map_errors

# A round trip each; MongoDB sends 16 MiB at most, which a few large secrets fill.
_DOCUMENTS_AT_ONCE = 1000
_ATTEMPTS, _PAUSE_SECONDS = 20, 0.5
# Server error codes (MongoDB's error_codes.yml).
_TOO_OLD, _UNAVAILABLE = 239, 246


@dataclass(frozen=True, slots=True)
class Batch:
    """Some documents of a collection, BSON one behind the other; ``sealed`` is what of it is under a key."""

    collection: str
    documents: bytes
    count: int
    sealed: Sequence[tuple[EncryptedItem, bytes]]


class Snapshot:
    """One point in time; ``cluster_time`` is MongoDB's name for it: seconds, and a number in that second."""

    def __init__(self, database: Database[Document], session: ClientSession, at: tuple[int, int]) -> None:
        self._database = database
        self._session = session
        self.cluster_time = at

    @property
    def time(self) -> datetime:
        """The same in whole seconds, in UTC."""
        return datetime.fromtimestamp(self.cluster_time[0], UTC)

    def count(self) -> int:
        """Return about how many documents there are.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        with map_errors():
            return sum(self._database[name].estimated_document_count() for name in INCLUDED)

    def batches(self) -> Iterator[Batch]:
        """Yield everything, collection by collection.

        Raises:
            StoreUnavailable: the database did not answer.
            ConfigurationError: it took longer than MongoDB remembers.
        """
        for name in INCLUDED:
            with map_errors(), _remembered():
                found = self._database[name].find_raw_batches(
                    {}, sort=[("_id", ASCENDING)], batch_size=_DOCUMENTS_AT_ONCE, session=self._session
                )
                raw: bytes
                for raw in found:  # type: ignore[assignment]  # it is annotated as any other cursor
                    documents = bson.decode_all(raw)
                    sealed = [one for document in documents for one in _sealed(name, document)]
                    yield Batch(name, raw, len(documents), sealed)


@contextmanager
def take_snapshot(client: MongoClient[Document], database: Database[Document]) -> Iterator[Snapshot]:
    """Fix a point in time: that of the first read, for all reads that follow.

    Raises:
        StoreUnavailable: the database did not answer.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        with client.start_session(snapshot=True) as session:
            try:
                with map_errors():
                    at = _touch(database, session)
            except _Changing:
                # A collection or an index is younger than the point in time: a service that has just
                # started makes them.  A moment later they are not.
                if attempt == _ATTEMPTS:
                    raise ConfigurationError("collections or indexes are being made: run it again") from None
                time.sleep(_PAUSE_SECONDS)
                continue
            yield Snapshot(database, session, at)
            return


class _Changing(Exception):
    """No read at this point in time."""


def _touch(database: Database[Document], session: ClientSession) -> tuple[int, int]:
    at = None
    for name in INCLUDED:
        try:
            found = database.command({"find": name, "limit": 1, "projection": {"_id": True}}, session=session)
        except OperationFailure as error:
            if error.code == _UNAVAILABLE:
                raise _Changing from None
            raise
        # A collection that is not there fixes no time.
        if (timestamp := found["cursor"].get("atClusterTime")) is not None:
            at = (timestamp.time, timestamp.inc)
    if at is None:
        raise _Changing
    return at


@contextmanager
def _remembered() -> Iterator[None]:
    try:
        yield
    except OperationFailure as error:
        if error.code not in (_TOO_OLD, _UNAVAILABLE):
            raise
        raise ConfigurationError(
            "the backup took longer than MongoDB remembers the past (or collections and indexes were changed"
            " meanwhile): let its output go to something faster, or give mongod a larger"
            " minSnapshotHistoryWindowInSeconds, which is 300 by itself"
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
        case tokens.COLLECTION:
            yield EncryptedItem.TOKEN_TAG, _bytes(document.get("tag"))
        case canary.COLLECTION if "data_key" in document:
            yield EncryptedItem.VERSION, _bytes(document["data_key"])


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
