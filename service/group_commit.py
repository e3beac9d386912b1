"""Group commit: batches concurrent calls into one round trip; a lone call is never delayed.

A call that arrives while no batch runs starts one at once.  Calls that arrive during a batch wait, and the
next batch takes all of them: the slower the database, the larger the batches.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from .errors import StoreUnavailable

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Call(Generic[Item, Result]):
    """One call; all but ``item`` is accessed under the group's lock, or before the gate opens."""

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
            # Cheaper than an Event.  Looked up at call time, because gevent replaces it.
            self.gate = threading.Lock()
            self.gate.acquire()

    def open_gate(self) -> None:
        if self.gate is not None:
            self.gate.release()


class GroupCommit(Generic[Item, Result]):
    """Runs ``work`` on up to ``max_batch`` items at a time, in the thread of one of the callers.

    Only one batch runs at a time.  ``work`` returns a result or an error for each item, in order; an error
    that it raises is the result of every item in the batch.
    """

    def __init__(self, work: Callable[[list[Item]], Sequence[Result | Exception]], max_batch: int) -> None:
        self._work = work
        self._max_batch = max_batch
        self._lock = threading.Lock()
        # Whether there is a leader: it runs a batch or is about to wake up.  Without one, no call waits.
        self._led = False
        self._waiting: list[_Call[Item, Result]] = []
        # Whether the last batch had more than one call: then others may be about to submit.
        self._crowded = False

    def submit(self, item: Item, seconds: float) -> Result:
        """Return the result of ``work`` for ``item``; wait for other calls no longer than ``seconds``.

        The call with the most time left runs ``work`` for the batch, and only the limits of its thread
        bound ``work`` itself.

        Raises:
            StoreUnavailable: the time was up; if its batch had started, the work may have been done or may
                still be.
            Exception: any error that ``work`` returned or raised.
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
                # Also if this thread is being ended: no call may wait for its turn.
                done = opened or self._leave(call)
            if not done:
                raise StoreUnavailable("timed out while waiting for the database")
        if call.leads:
            self._let_others_submit(call)
            self._commit_batch()
        if call.error is not None:
            raise call.error
        return call.result  # type: ignore[return-value]  # it is done, and without an error

    def _leave(self, call: _Call[Item, Result]) -> bool:
        """Stop waiting; return whether the call was done at the last moment."""
        with self._lock:
            if call in self._waiting:
                self._waiting.remove(call)
            # Otherwise it is done, or in a batch that is running.
            if call.leads:
                call.leads = False
                self._elect_leader()
            return call.done

    def _let_others_submit(self, call: _Call[Item, Result]) -> None:
        """Give threads that are about to submit the chance to get into the batch that ``call`` leads."""
        if not self._crowded:
            return
        try:
            time.sleep(0)
        except BaseException:
            # Only this thread is being ended: another leads.
            self._leave(call)
            raise

    def _commit_batch(self) -> None:
        with self._lock:
            batch = self._waiting[: self._max_batch]
            del self._waiting[: self._max_batch]
            self._crowded = len(batch) > 1
        try:
            self._run(batch)
        finally:
            # The next batch starts before this batch's callers get the processor.
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
        except Exception as error:  # noqa: BLE001  (raised in every waiting thread)
            for call in batch:
                call.error = error
        except BaseException:
            # Only this thread is being ended; the others can repeat their calls.
            for call in batch:
                call.error = StoreUnavailable("the batch was interrupted before it was done")
            raise

    def _elect_leader(self) -> None:
        """Choose the leader of the next batch, if calls are waiting; the lock is held."""
        self._led = bool(self._waiting)
        if self._led:
            leader = max(self._waiting[: self._max_batch], key=lambda call: call.deadline)
            leader.leads = True
            leader.open_gate()
