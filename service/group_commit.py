"""Does what concurrent calls want in batches (group commit), and makes none of them wait for company.

Whoever comes while nothing is under way begins at once.  Who comes meanwhile waits, and the next batch
takes all of them: so batches are as large as the database is slow.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, cast

from .errors import StoreUnavailable

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Call(Generic[Item, Result]):
    """One call; all but ``item`` is read and written under the gatherer's lock, or before the gate opens."""

    __slots__ = ("deadline", "done", "error", "gate", "item", "leads", "result")

    def __init__(self, item: Item, deadline: float, *, leads: bool) -> None:
        self.item = item
        self.deadline = deadline
        self.leads = leads
        self.done = False
        self.result: Result | None = None
        self.error: Exception | None = None
        self.gate: threading.Lock | None = None
        if not leads:
            # Cheaper than an Event.  Looked up now: gevent puts its own in this place.
            self.gate = threading.Lock()
            self.gate.acquire()

    def open_gate(self) -> None:
        if self.gate is not None:
            self.gate.release()


class GroupCommit(Generic[Item, Result]):
    """Runs ``work`` on up to ``most`` items at a time, in a caller's own thread, and never twice at once.

    ``work`` returns for each item, in their order, what it came to or the error that befell it.  An
    error that it raises befalls all of the batch.
    """

    def __init__(self, work: Callable[[list[Item]], Sequence[Result | Exception]], max_batch: int) -> None:
        self._work = work
        self._max_batch = max_batch
        self._lock = threading.Lock()
        # Whoever leads is busy, or is about to wake up; without a leader nobody waits.
        self._led = False
        self._waiting: list[_Call[Item, Result]] = []

    def submit(self, item: Item, seconds: float) -> Result:
        """Return what ``work`` came to; others are waited for no longer than ``seconds``.

        Whoever has the most time left of a batch runs ``work`` for it, and ``work`` itself is bounded by
        the limits of that thread alone.

        Raises:
            StoreUnavailable: the time was up; it may have been done, or be done still, if it had begun.
            Exception: whatever ``work`` returned or raised.
        """
        with self._lock:
            call: _Call[Item, Result] = _Call(item, time.monotonic() + seconds, leads=not self._led)
            self._led = True
            self._waiting.append(call)
        if call.gate is not None:
            opened = False
            try:
                opened = call.gate.acquire(timeout=max(seconds, 0))
            finally:
                # Also where this thread is to end: nobody may wait for its turn.
                done = opened or self._leave(call)
            if not done:
                raise StoreUnavailable("the database did not get to this in time")
        if call.leads:
            self._commit_batch()
        if call.error is not None:
            raise call.error
        return cast(Result, call.result)

    def _leave(self, call: _Call[Item, Result]) -> bool:
        """Wait no longer; return whether it was done in the last moment."""
        with self._lock:
            if call in self._waiting:
                self._waiting.remove(call)
            # Otherwise it is done, or in a batch that is under way.
            if call.leads:
                call.leads = False
                self._elect_leader()
            return call.done

    def _commit_batch(self) -> None:
        # Whoever is about to come gets in; where nobody is, this costs nothing.
        time.sleep(0)
        with self._lock:
            batch = self._waiting[: self._max_batch]
            del self._waiting[: self._max_batch]
        try:
            self._run(batch)
        finally:
            # The next batch is on its way before this one's callers get the processor.
            with self._lock:
                self._elect_leader()
                for call in batch:
                    call.done = True
            for call in batch:
                if not call.leads:
                    call.open_gate()

    def _run(self, batch: Sequence[_Call[Item, Result]]) -> None:
        try:
            results = self._work([call.item for call in batch])
            for call, result in zip(batch, results, strict=True):
                if isinstance(result, Exception):
                    call.error = result
                else:
                    call.result = result
        except Exception as error:  # noqa: BLE001  (raised in every thread that waits for it)
            for call in batch:
                call.error = error
        except BaseException:
            # This thread is to end; the others have only lost their turn.
            for call in batch:
                call.error = StoreUnavailable("the batch was given up before it was done")
            raise

    def _elect_leader(self) -> None:
        """Let somebody of the next batch lead it, if there is any; the lock is held."""
        self._led = bool(self._waiting)
        if self._led:
            leader = max(self._waiting[: self._max_batch], key=lambda call: call.deadline)
            leader.leads = True
            leader.open_gate()
