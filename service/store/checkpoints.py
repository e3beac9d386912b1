"""Stores checkpoints of the audit log, and when each of its writers was last alive."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pymongo import ASCENDING, DESCENDING
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from .database import Document, map_errors

CHECKPOINTS = "audit_checkpoints"
WRITERS = "audit_writers"


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

    def all(self) -> Iterator[Document]:
        """Yield all checkpoints as stored, in order."""
        with map_errors():
            yield from self._collection.find().sort("_id", ASCENDING)

    def insert(self, checkpoint: Document) -> bool:
        """Store a checkpoint unless its number is taken; return whether it was stored.

        Raises:
            StoreUnavailable: it may or may not have been stored.
        """
        with map_errors():
            try:
                self._collection.insert_one({"_id": checkpoint["number"], **checkpoint})
            except DuplicateKeyError:
                return False
        return True


class WriterStore:
    """The collection ``audit_writers``: when each writer was last known to be alive, by the database's clock.

    It is not authenticated: altering it only gets a chain closed early, and its writer then starts another.
    Every method raises StoreUnavailable if the database does not answer in time.
    """

    def __init__(self, database: Database[Document]) -> None:
        self._collection = database[WRITERS]

    def beat(self, writer: str) -> None:
        """Record that a writer is alive."""
        with map_errors():
            self._collection.update_one({"_id": writer}, {"$currentDate": {"seen_at": True}}, upsert=True)

    def seen(self) -> dict[str, datetime]:
        """Return when each writer was last known to be alive."""
        with map_errors():
            return {
                document["_id"]: document["seen_at"]
                for document in self._collection.find()
                if isinstance(document["_id"], str) and isinstance(document.get("seen_at"), datetime)
            }

    def remove(self, writer: str) -> None:
        """Remove a writer whose chain is closed."""
        with map_errors():
            self._collection.delete_one({"_id": writer})
