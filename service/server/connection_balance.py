"""Shares connections out among the worker processes.

They wait at one socket, and who happens to be awake would take all that arrive at once: clients that
keep their connections would keep one process busy and the others idle.
"""

from __future__ import annotations

import mmap

_MOST = 256
_EMPTY = -1


class Seats:
    """How many connections each worker has, in memory that all of them see; made before the first fork."""

    def __init__(self) -> None:
        memory = mmap.mmap(-1, _MOST * 4)
        # One aligned number each, and written by its own worker alone: no lock is needed.
        self._counts = memoryview(memory).cast("i")
        for number in range(_MOST):
            self._counts[number] = _EMPTY

    def take(self) -> Seat:
        """Return a free one."""
        return Seat(self._counts, next(number for number in range(_MOST) if self._counts[number] == _EMPTY))


class Seat:
    """One worker's."""

    def __init__(self, counts: memoryview[int], number: int) -> None:
        self._counts = counts
        self._number = number
        self.tell(0)

    def tell(self, connections: int) -> None:
        """Let the others know how many connections this one has."""
        self._counts[self._number] = connections

    def leave(self) -> None:
        """Take no more connections."""
        self._counts[self._number] = _EMPTY

    def is_ahead(self) -> bool:
        """Return whether another one has fewer connections."""
        own = self._counts[self._number]
        return any(_EMPTY < count < own for count in self._counts)
