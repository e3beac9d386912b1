"""Rate limits: counted in the database for all processes, and remembered by each once they are exceeded."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable

from ..store.rate_limits import RateLimitStore

# More subjects than pass a limit within a minute; beyond it all are forgotten, and counted again.
_MAX_REMEMBERED = 10_000


class RateLimits:
    """The limits per minute: of failures by address and by token, and of tokens' calls."""

    def __init__(self, counts: RateLimitStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._counts = counts
        self._clock = clock
        # The minute, and when to count again, if before its end.
        self._exceeded: dict[str, tuple[int, float]] = {}

    def is_exceeded(self, subjects: Iterable[str]) -> bool:
        """Return whether this process knows that one of them has exceeded its limit; asks no database."""
        return bool(self._exceeded) and any(map(self._is_exceeded, subjects))

    def count(self, subject: str, limit: int, amount: int = 1, *, recount_seconds: float = math.inf) -> bool:
        """Count calls, and return whether they are within the limit.

        If a single one is not, that is remembered until the minute ends, or for ``recount_seconds``.

        Raises:
            StoreUnavailable: they may or may not have been counted.
        """
        if self._is_exceeded(subject):
            return False
        minute = self._counts.window()
        if self._exceeded.get(subject, (0, 0.0))[0] == minute:
            # One call counts again; those that come meanwhile are refused.
            self._remember(subject, minute, recount_seconds)
        if self._counts.count(subject, amount) <= limit:
            self._exceeded.pop(subject, None)
            return True
        if amount == 1:
            self._remember(subject, minute, recount_seconds)
        return False

    def take_back(self, subject: str, amount: int) -> None:
        """Count fewer calls, as these are not made.

        Raises:
            StoreUnavailable: they may or may not count.
        """
        self._counts.count(subject, -amount)

    def seconds_left(self) -> int:
        """Return the seconds until the current minute ends."""
        return self._counts.seconds_left()

    def _remember(self, subject: str, minute: int, seconds: float) -> None:
        if len(self._exceeded) >= _MAX_REMEMBERED:
            self._exceeded.clear()
        self._exceeded[subject] = (minute, self._clock() + seconds)

    def _is_exceeded(self, subject: str) -> bool:
        minute, until = self._exceeded.get(subject, (0, 0.0))
        return minute == self._counts.window() and self._clock() < until
