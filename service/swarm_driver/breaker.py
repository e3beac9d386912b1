"""A circuit breaker: after a failure to reach the vault, nobody waits for it for a moment.

The leader of a Swarm asks while it holds the cluster's write lock, one secret after the other.  Without
this, a vault that hangs would hold the whole cluster for two seconds for each of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .errors import CircuitOpen, VaultNotReached

OPEN_SECONDS = 2.0


class Breaker:
    """Closed: all calls try.  Open: none does, for ``OPEN_SECONDS``.  Half open: one does, and decides."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open_until: float | None = None
        self._probing = False

    @property
    def state(self) -> str:
        """``closed``, ``open`` or ``half_open``."""
        if self._open_until is None:
            return "closed"
        return "open" if self._clock() < self._open_until else "half_open"

    def check(self) -> None:
        """Return if a call may try.

        Raises:
            CircuitOpen: it may not.
        """
        if self._probing or self.state == "open":
            raise CircuitOpen("vault not reachable a moment ago: it is asked again in at most 2 s")

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Let the ``with`` block try, and learn from it.

        Raises:
            CircuitOpen: it may not.
        """
        self.check()
        probes = self._open_until is not None
        self._probing = probes
        try:
            yield
        except VaultNotReached:
            self._open_until = self._clock() + OPEN_SECONDS
            raise
        else:
            self._open_until = None
        finally:
            if probes:
                self._probing = False
