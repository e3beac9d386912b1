"""Stores the result of the last restore drill, which every process of the service can then report."""

from __future__ import annotations

from dataclasses import asdict

from pymongo.database import Database

from ..models import DrillResult
from .canary import COLLECTION
from .database import Document, map_errors

_ID = "drill"


class DrillStore:
    """The document ``drill`` in the collection ``meta``.

    Every method raises StoreUnavailable if the database does not answer in time.
    """

    def __init__(self, database: Database[Document]) -> None:
        self._collection = database[COLLECTION]

    def write(self, result: DrillResult) -> None:
        """Store the result, replacing the previous one.

        Raises:
            StoreUnavailable: it may or may not have been stored.
        """
        with map_errors():
            self._collection.replace_one({"_id": _ID}, asdict(result), upsert=True)

    def last(self) -> DrillResult | None:
        """Return the last result, or None if there was no drill yet."""
        with map_errors():
            document = self._collection.find_one({"_id": _ID}, {"_id": False})
        return None if document is None else DrillResult(**document)
