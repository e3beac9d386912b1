"""Shares connections out among the worker processes.

They wait at one socket, and who happens to be awake would take all that arrive at once: clients that
keep their connections would keep one process busy and the others idle.
"""

from __future__ import annotations

import mmap

_MAX_WORKERS = 256
_EMPTY = -1


class WorkerSlots:
    """How many connections each worker has, in memory that all of them see; made before the first fork."""

    def __init__(self) -> None:
        memory = mmap.mmap(-1, _MAX_WORKERS * 4)
        # One aligned number each, and written by its own worker alone: no lock is needed.
        self._counts = memoryview(memory).cast("i")
        for number in range(_MAX_WORKERS):
            self._counts[number] = _EMPTY

    def claim(self) -> WorkerSlot:
        """Return a free one."""
        return WorkerSlot(
            self._counts, next(number for number in range(_MAX_WORKERS) if self._counts[number] == _EMPTY)
        )


class WorkerSlot:
    """One worker's."""

    def __init__(self, counts: memoryview[int], number: int) -> None:
        self._counts = counts
        self._number = number
        self.update(0)

    def update(self, connections: int) -> None:
        """Let the others know how many connections this one has."""
        self._counts[self._number] = connections

    def release(self) -> None:
        """Take no more connections."""
        self._counts[self._number] = _EMPTY

    def has_surplus(self) -> bool:
        """Return whether another one has fewer connections."""
        own = self._counts[self._number]
        return any(_EMPTY < count < own for count in self._counts)
