"""A sealed value of known content: proof that a key ring fits the data beside it."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from ..errors import Tampered
from ..models import Envelope
from .database import Document, map_errors

COLLECTION = "meta"
_ID = "canary"


class CanaryStore:
    """The document ``canary`` in the collection ``meta``."""

    def __init__(self, database: Database[Document]) -> None:
        self._collection = database[COLLECTION]

    def find(self) -> Envelope | None:
        """Return the canary, or None where the database has none yet."""
        with map_errors():
            document = self._collection.find_one({"_id": _ID})
        return None if document is None else _read(document)

    def restoring_since(self) -> datetime | None:
        """Return when a restore began that has not ended yet, or None.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        with map_errors():
            document = self._collection.find_one({"_id": _ID}, {"restoring_since": True})
        return None if document is None else document.get("restoring_since")

    def mark_restoring(self, since: datetime | None) -> None:
        """Mark the database as one that is being restored since then; or, with None, no longer.

        Raises:
            StoreUnavailable: it may or may not be marked.
        """
        change = {"$unset": {"restoring_since": True}}
        with map_errors():
            self._collection.update_one(
                {"_id": _ID}, change if since is None else {"$set": {"restoring_since": since}}
            )

    def insert(self, canary: Envelope) -> None:
        """Keep the canary, unless another process was first: then theirs stays."""
        with map_errors(), suppress(DuplicateKeyError):
            self._collection.insert_one({"_id": _ID, "payload": canary.payload, "data_key": canary.data_key})

    def rewrap(self, canary: Envelope, data_key: bytes) -> None:
        """Give the canary another wrap of its data key, unless another process was first.

        Raises:
            StoreUnavailable: it may or may not have it.
        """
        with map_errors():
            self._collection.update_one(
                {"_id": _ID, "data_key": canary.data_key}, {"$set": {"data_key": data_key}}
            )


def read_any(document: Document) -> Envelope | None:
    """Return the canary where the document of ``meta`` is it, and None where it is another one.

    Raises:
        Tampered: nobody wrote it like this.
    """
    return _read(document) if document["_id"] == _ID else None


def _read(document: Document) -> Envelope:
    try:
        return Envelope(payload=bytes(document["payload"]), data_key=bytes(document["data_key"]))
    except (KeyError, TypeError, ValueError):
        raise Tampered("the canary is not of the shape in which it is stored") from None
