"""Reports a long command's progress on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

_EVERY_SECONDS = 5.0


class Progress:
    """Counts items, ``what``, up to ``total`` if that is known, and reports the count every few seconds."""

    def __init__(
        self,
        doing: str,
        total: int | None = None,
        *,
        what: str = "secrets",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._doing = doing
        self._of = "" if total is None else f" of {total}"
        self._what = what
        self._clock = clock
        self._count = 0
        self._reported_at = clock()

    def add(self, count: int) -> None:
        """Add to the count."""
        self._count += count
        if self._clock() >= self._reported_at + _EVERY_SECONDS:
            self._reported_at = self._clock()
            print(f"{self._doing}: {self._count}{self._of} {self._what}", file=sys.stderr, flush=True)
