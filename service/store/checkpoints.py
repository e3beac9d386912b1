"""Checkpoints of the audit log, and which of its writers are alive."""

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
    """The collection ``audit_checkpoints``, which nothing expires from; the number is the ``_id``."""

    def __init__(self, database: Database[Document]) -> None:
        self._collection = database[CHECKPOINTS]

    def newest(self) -> Document | None:
        """Return the newest one as it is stored, or None where there is none.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        with map_errors():
            return self._collection.find_one(sort=[("_id", DESCENDING)])

    def all(self) -> Iterator[Document]:
        """Yield all of them as they are stored, in their order.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        with map_errors():
            yield from self._collection.find().sort("_id", ASCENDING)

    def insert(self, checkpoint: Document) -> bool:
        """Keep one, unless there is one of its number already; return whether it is kept.

        Raises:
            StoreUnavailable: it may or may not be.
        """
        with map_errors():
            try:
                self._collection.insert_one({"_id": checkpoint["number"], **checkpoint})
            except DuplicateKeyError:
                return False
        return True


class WriterStore:
    """The collection ``audit_writers``: when each writer was last known to be alive, by the database's clock.

    Nothing authenticates it: who alters it gets a chain closed early, which then goes on as another.
    """

    def __init__(self, database: Database[Document]) -> None:
        self._collection = database[WRITERS]

    def beat(self, writer: str) -> None:
        """Remember that a writer is alive.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        with map_errors():
            self._collection.update_one({"_id": writer}, {"$currentDate": {"seen_at": True}}, upsert=True)

    def seen(self) -> dict[str, datetime]:
        """Return when each was last known to be alive.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        with map_errors():
            return {
                document["_id"]: document["seen_at"]
                for document in self._collection.find()
                if isinstance(document["_id"], str) and isinstance(document.get("seen_at"), datetime)
            }

    def remove(self, writer: str) -> None:
        """Forget a writer whose chain is closed.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        with map_errors():
            self._collection.delete_one({"_id": writer})
