"""Finds documents by id for callers of whom there may be too many: those who guess."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from pymongo.collection import Collection

from ..errors import Tampered
from ..group_commit import GroupCommit
from .database import Document, map_errors, seconds_left

Record = TypeVar("Record")

_MAX_BATCH = 256
# Twenty queries a second, however many there are who ask.
_SHARED_SECONDS = 0.05


class SharedFinds(Generic[Record]):
    """One query for all that come within ``_SHARED_SECONDS``; each waits about as long.

    ``read`` returns the record of a document, or raises Tampered; ``operation_timeout`` is in seconds.
    """

    def __init__(
        self, collection: Collection[Document], read: Callable[[Document], Record], operation_timeout: float
    ) -> None:
        self._collection = collection
        self._read = read
        self._operation_timeout = operation_timeout
        self._group = GroupCommit[str, Record | None](self._find_all, _MAX_BATCH)
        self._last = 0.0

    def find(self, record_id: str) -> Record | None:
        """Return the record with this id, or None if there is none.

        Raises:
            Tampered: the document is malformed.
            StoreUnavailable: the database did not answer in time.
        """
        return self._group.submit(record_id, seconds_left(self._operation_timeout))

    def _find_all(self, ids: list[str]) -> list[Record | Exception | None]:
        time.sleep(max(0.0, self._last + _SHARED_SECONDS - time.monotonic()))
        self._last = time.monotonic()
        with map_errors():
            found = {
                document["_id"]: self._read_or_error(document)
                for document in self._collection.find({"_id": {"$in": ids}})
            }
        return [found.get(record_id) for record_id in ids]

    def _read_or_error(self, document: Document) -> Record | Tampered:
        try:
            return self._read(document)
        except Tampered as error:
            return error
