"""Counters for rate limits: failed authentications, and calls of a token with a limit.

They are in the database, so all workers and all replicas share them.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from pymongo import ReturnDocument
from pymongo.database import Database

from .database import Document, map_errors

COLLECTION = "attempts"
WINDOW_SECONDS = 60


class RateLimitStore:
    """The collection ``attempts``: one document per subject and minute, removed soon after.

    Every method raises StoreUnavailable if the database does not answer in time.
    """

    def __init__(self, database: Database[Document]) -> None:
        self._collection = database[COLLECTION]

    def count(self, subject: str, amount: int = 1) -> int:
        """Add to the current minute's count of ``subject``, and return the count.

        Raises:
            StoreUnavailable: it may or may not have been counted.
        """
        window = self.window()
        with map_errors():
            # An upsert always returns a document.
            document: Document = self._collection.find_one_and_update(  # type: ignore[assignment]
                {"_id": f"{subject} {window}"},
                {
                    "$inc": {"count": amount},
                    "$setOnInsert": {"ended_at": datetime.fromtimestamp((window + 1) * WINDOW_SECONDS, UTC)},
                },
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        return int(document["count"])

    @staticmethod
    def window() -> int:
        """Return the number of the current minute; does not use the database."""
        return int(time.time()) // WINDOW_SECONDS

    @staticmethod
    def seconds_left() -> int:
        """Return the seconds until the current minute ends; does not use the database."""
        return WINDOW_SECONDS - int(time.time()) % WINDOW_SECONDS
