"""Balances connections across the worker processes.

Workers accept on one socket; without balancing, whichever runs first takes a whole burst, and clients that
keep their connections would keep one process busy and the others idle.
"""

from __future__ import annotations

import mmap

_MAX_WORKERS = 256
_EMPTY = -1


class WorkerSlots:
    """Each worker's number of connections, in shared memory; created before the first fork."""

    def __init__(self) -> None:
        memory = mmap.mmap(-1, _MAX_WORKERS * 4)
        # No lock is needed: each is one aligned integer, written only by its own worker.
        self._counts = memoryview(memory).cast("i")
        for number in range(_MAX_WORKERS):
            self._counts[number] = _EMPTY

    def claim(self) -> WorkerSlot:
        """Return a free slot."""
        return WorkerSlot(
            self._counts, next(number for number in range(_MAX_WORKERS) if self._counts[number] == _EMPTY)
        )


class WorkerSlot:
    """One worker's number of connections."""

    def __init__(self, counts: memoryview[int], number: int) -> None:
        self._counts = counts
        self._number = number
        self.update(0)

    def update(self, connections: int) -> None:
        """Publish how many connections this worker has."""
        self._counts[self._number] = connections

    def release(self) -> None:
        """Free the slot: this worker accepts no more connections."""
        self._counts[self._number] = _EMPTY

    def has_surplus(self) -> bool:
        """Return whether another worker has fewer connections."""
        own = self._counts[self._number]
        return any(_EMPTY < count < own for count in self._counts)
