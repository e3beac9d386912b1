"""Stores the canary: a sealed value of known content that shows whether a key ring fits the data."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from ..errors import Tampered
from ..models import Envelope
from .database import Document, map_errors

COLLECTION = "meta"
_ID = "canary"


class CanaryStore:
    """The document ``canary`` in the collection ``meta``, or in a staged one.

    Every method raises StoreUnavailable if the database does not answer in time.
    """

    def __init__(self, collection: Collection[Document]) -> None:
        self._collection = collection

    def find(self) -> Envelope | None:
        """Return the canary, or None if the database has none yet."""
        with map_errors():
            document = self._collection.find_one({"_id": _ID})
        return None if document is None else _read(document)

    def restoring_since(self) -> datetime | None:
        """Return when an unfinished restore was started, or None if there is none."""
        with map_errors():
            document = self._collection.find_one({"_id": _ID}, {"restoring_since": True})
        return None if document is None else document.get("restoring_since")

    def mark_restoring(self, since: datetime | None) -> None:
        """Mark the database as being restored since then; None removes the mark.

        Raises:
            StoreUnavailable: the mark may or may not have been changed.
        """
        change = {"$unset": {"restoring_since": True}}
        with map_errors():
            self._collection.update_one(
                {"_id": _ID}, change if since is None else {"$set": {"restoring_since": since}}
            )

    def insert(self, canary: Envelope) -> None:
        """Store the canary unless another process was first: then that one's stays."""
        with map_errors(), suppress(DuplicateKeyError):
            self._collection.insert_one({"_id": _ID, "payload": canary.payload, "data_key": canary.data_key})

    def replace(self, canary: Envelope, new: Envelope) -> None:
        """Replace the canary unless another process was first.

        Raises:
            StoreUnavailable: it may or may not have been replaced.
        """
        with map_errors():
            self._collection.update_one(
                {"_id": _ID, "data_key": canary.data_key},
                {"$set": {"payload": new.payload, "data_key": new.data_key}},
            )


def read_any(document: Document) -> Envelope | None:
    """Return the canary if this document of ``meta`` is the canary, else None.

    Raises:
        Tampered: the document is malformed.
    """
    return _read(document) if document["_id"] == _ID else None


def _read(document: Document) -> Envelope:
    try:
        return Envelope(payload=bytes(document["payload"]), data_key=bytes(document["data_key"]))
    except (KeyError, TypeError, ValueError):
        raise Tampered("the document is not a valid canary") from None
