"""What came of the last drill: one document, which every process of the service can tell of."""

from __future__ import annotations

from dataclasses import asdict

from pymongo.database import Database

from ..models import DrillResult
from .canary import COLLECTION
from .database import Document, map_errors

_ID = "drill"


class DrillStore:
    """The document ``drill`` in the collection ``meta``."""

    def __init__(self, database: Database[Document]) -> None:
        self._collection = database[COLLECTION]

    def write(self, result: DrillResult) -> None:
        """Keep the result, in the place of the one before.

        Raises:
            StoreUnavailable: it may or may not have been kept.
        """
        with map_errors():
            self._collection.replace_one({"_id": _ID}, asdict(result), upsert=True)

    def last(self) -> DrillResult | None:
        """Return the last result, or None where there was no drill yet.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        with map_errors():
            document = self._collection.find_one({"_id": _ID}, {"_id": False})
        return None if document is None else DrillResult(**document)
