"""Stores which master keys have been used with this database, and how many wraps each may have made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pymongo import ReturnDocument, UpdateOne
from pymongo.database import Database

from .canary import COLLECTION
from .database import Document, expect_type, map_errors

_PREFIX = "key "


class KeyStore:
    """One document for each key in the collection ``meta``; none of them contains a key.

    Every method raises StoreUnavailable if the database does not answer in time.
    """

    def __init__(self, database: Database[Document]) -> None:
        self._collection = database[COLLECTION]

    def register(self, key_ids: Iterable[str]) -> None:
        """Record that a process holds these keys.

        Raises:
            StoreUnavailable: some may not have been recorded.
        """
        with map_errors():
            self._collection.bulk_write(
                [
                    UpdateOne({"_id": _PREFIX + key_id}, {"$setOnInsert": {"wraps": 0}}, upsert=True)
                    for key_id in key_ids
                ]
            )

    def reserve(self, key_id: str, count: int) -> int:
        """Add ``count`` to the wraps of a key before they are made, and return the sum.

        Raises:
            StoreUnavailable: they may or may not have been added.
        """
        with map_errors():
            document = self._collection.find_one_and_update(
                {"_id": _PREFIX + key_id},
                {"$inc": {"wraps": count}},
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        wraps: int = expect_type(document, dict)["wraps"]
        return wraps

    def registered(self) -> dict[str, int]:
        """Return the number of reserved wraps for each key that any process has held."""
        with map_errors():
            found = self._collection.find({"_id": {"$gte": _PREFIX, "$lt": _PREFIX + "g"}})
            return dict(self.wraps_in(found))

    @staticmethod
    def wraps_in(documents: Iterable[Document]) -> Iterator[tuple[str, int]]:
        """Yield key ids and wrap counts from documents of ``meta``; other documents are skipped."""
        for document in documents:
            if str(document["_id"]).startswith(_PREFIX):
                yield document["_id"].removeprefix(_PREFIX), expect_type(document["wraps"], int)
