"""A sealed value of known content: proof that a key ring fits the data beside it."""

from __future__ import annotations

from contextlib import suppress

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from ..errors import Tampered
from ..models import Envelope
from .client import Document, translated

COLLECTION = "meta"
_ID = "canary"


class CanaryStore:
    """The document ``canary`` in the collection ``meta``."""

    def __init__(self, database: Database[Document]) -> None:
        self._collection = database[COLLECTION]

    def find(self) -> Envelope | None:
        """Return the canary, or None where the database has none yet."""
        with translated():
            document = self._collection.find_one({"_id": _ID})
        if document is None:
            return None
        try:
            return Envelope(payload=bytes(document["payload"]), data_key=bytes(document["data_key"]))
        except (KeyError, TypeError, ValueError):
            raise Tampered("the canary is not of the shape in which it is stored") from None

    def insert(self, canary: Envelope) -> None:
        """Keep the canary, unless another process was first: then theirs stays."""
        with translated(), suppress(DuplicateKeyError):
            self._collection.insert_one({"_id": _ID, "payload": canary.payload, "data_key": canary.data_key})

    def rewrap(self, canary: Envelope, data_key: bytes) -> None:
        """Give the canary another wrap of its data key, unless another process was first.

        Raises:
            StoreUnavailable: it may or may not have it.
        """
        with translated():
            self._collection.update_one(
                {"_id": _ID, "data_key": canary.data_key}, {"$set": {"data_key": data_key}}
            )
