"""Stores checkpoints of the audit log, when each of its writers was alive, and what an operator accepted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pymongo import ASCENDING, DESCENDING
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from .canary import COLLECTION as META
from .database import Document, map_errors

CHECKPOINTS = "audit_checkpoints"
WRITERS = "audit_writers"
_ACCEPTANCE = "audit_acceptance"
# Checkpoints of earlier versions have no count; an altered one must not stop the next.
_COUNTED: Document = {"records": {"$type": ["int", "long"], "$gte": 0, "$lt": 2**53}}


class CheckpointStore:
    """The collection ``audit_checkpoints``, which never expire; the number is the ``_id``.

    Every method raises StoreUnavailable if the database does not answer in time.
    """

    def __init__(self, database: Database[Document]) -> None:
        self._collection = database[CHECKPOINTS]

    def newest(self) -> Document | None:
        """Return the newest checkpoint as stored, or None if there is none."""
        with map_errors():
            return self._collection.find_one(sort=[("_id", DESCENDING)])

    def find(self, number: int) -> Document | None:
        """Return the checkpoint with this number as stored, or None if there is none."""
        with map_errors():
            return self._collection.find_one({"_id": number})

    def records(self) -> int:
        """Return how many records the newest checkpoint with a count says are covered; 0 if none says it."""
        with map_errors():
            found = self._collection.find_one(_COUNTED, sort=[("_id", DESCENDING)])
        return 0 if found is None else int(found["records"])

    def all(self) -> Iterator[Document]:
        """Yield all checkpoints as stored, in order."""
        with map_errors():
            yield from self._collection.find().sort("_id", ASCENDING)

    def insert(self, checkpoint: Document, records: int) -> bool:
        """Store a checkpoint unless its number is taken; return whether it was stored.

        ``records`` is how many it and the earlier ones cover.  It is for the metrics.  The MAC leaves it out,
        because replicas of an earlier version would not authenticate the checkpoint otherwise.

        Raises:
            StoreUnavailable: it may or may not have been stored.
        """
        with map_errors():
            try:
                self._collection.insert_one({"_id": checkpoint["number"], **checkpoint, "records": records})
            except DuplicateKeyError:
                return False
        return True


@dataclass(frozen=True, slots=True)
class SeenWriter:
    """A process that writes to the log: when it was last known to be alive, and where it runs.

    ``host`` and ``version`` are None if it is of a version that did not record them.
    """

    name: str
    seen_at: datetime
    host: str | None
    version: str | None


class WriterStore:
    """The collection ``audit_writers``: when each writer was last known to be alive, by the database's clock.

    It is not authenticated: altering it only gets a chain closed early, and its writer then starts another.
    Every method raises StoreUnavailable if the database does not answer in time.
    """

    def __init__(self, database: Database[Document]) -> None:
        self._collection = database[WRITERS]

    def beat(self, writer: str, host: str, version: str) -> None:
        """Record that a writer is alive, on this host, and of this version of the service."""
        change = {"$currentDate": {"seen_at": True}, "$set": {"host": host, "version": version}}
        with map_errors():
            self._collection.update_one({"_id": writer}, change, upsert=True)

    def seen(self) -> list[SeenWriter]:
        """Return all writers."""
        with map_errors():
            return [
                SeenWriter(
                    document["_id"],
                    document["seen_at"],
                    _text(document.get("host")),
                    _text(document.get("version")),
                )
                for document in self._collection.find()
                if isinstance(document["_id"], str) and isinstance(document.get("seen_at"), datetime)
            ]

    def remove(self, writer: str) -> None:
        """Remove a writer whose chain is closed."""
        with map_errors():
            self._collection.delete_one({"_id": writer})


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


class AcceptanceStore:
    """The document ``audit_acceptance`` in the collection ``meta``: the last acceptance of an older log.

    Every method raises StoreUnavailable if the database does not answer in time.
    """

    def __init__(self, database: Database[Document]) -> None:
        self._collection = database[META]

    def find(self) -> tuple[datetime, bytes] | None:
        """Return its time and its MAC, or None if there is none or it is malformed."""
        with map_errors():
            document = self._collection.find_one({"_id": _ACCEPTANCE}) or {}
        at, mac = document.get("at"), document.get("mac")
        return (at, mac) if isinstance(at, datetime) and isinstance(mac, bytes) else None

    def write(self, at: datetime, mac: bytes) -> None:
        """Store an acceptance in place of the one before.

        Raises:
            StoreUnavailable: it may or may not have been stored.
        """
        with map_errors():
            self._collection.replace_one({"_id": _ACCEPTANCE}, {"at": at, "mac": mac}, upsert=True)
