"""Counts what must not happen too often: failed authentications, and calls of a limited token.

The count is in the database, so it is one for all workers and all replicas.
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
    """The collection ``attempts``: one document per subject and minute, removed soon after."""

    def __init__(self, database: Database[Document]) -> None:
        self._collection = database[COLLECTION]

    def count(self, subject: str) -> int:
        """Add one to the present minute's count of ``subject`` and return it.

        Raises:
            StoreUnavailable: it may or may not have been counted.
        """
        window = int(time.time()) // WINDOW_SECONDS
        with map_errors():
            # After an upsert there is always a document.
            document: Document = self._collection.find_one_and_update(  # type: ignore[assignment]
                {"_id": f"{subject} {window}"},
                {
                    "$inc": {"count": 1},
                    "$setOnInsert": {"ended_at": datetime.fromtimestamp((window + 1) * WINDOW_SECONDS, UTC)},
                },
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        return int(document["count"])

    @staticmethod
    def seconds_left() -> int:
        """Return how long the present minute still lasts."""
        return WINDOW_SECONDS - int(time.time()) % WINDOW_SECONDS
