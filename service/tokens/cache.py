"""Remembers for a moment what was read from the database and verified."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

RECHECK_SECONDS = 5.0

# More than any process sees in RECHECK_SECONDS; beyond it everything is forgotten.
MAX_CACHED = 10_000

Record = TypeVar("Record")


class Cache(Generic[Record]):
    """Records by id, each for ``RECHECK_SECONDS`` after it was asked for; ``clock`` is monotonic."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._records: dict[str, tuple[Record, float]] = {}

    def get(self, record_id: str) -> Record | None:
        """Return a record, or None if it has to be read again."""
        record, until = self._records.get(record_id, (None, 0.0))
        return record if self._clock() < until else None

    def put(self, record_id: str, record: Record, asked_at: float) -> None:
        """Remember a record that the database was asked for at ``asked_at``."""
        if len(self._records) >= MAX_CACHED:
            self._records.clear()
        self._records[record_id] = (record, asked_at + RECHECK_SECONDS)

    def drop(self, record_id: str) -> None:
        """Forget a record, if it is there."""
        self._records.pop(record_id, None)
