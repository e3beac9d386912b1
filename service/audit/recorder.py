"""Records every operation before its answer leaves, and lets no answer leave unrecorded.

Records of concurrent requests go to the database together (group commit): while one thread
writes, those that finish meanwhile queue up, and the first of them writes for all of them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from ..errors import AuditUnavailable, StoreUnavailable, VaultError
from ..models import AuditRecord, Caller, Status


class Sink(Protocol):
    """Where records become durable. Writing a record twice under one id keeps it once."""

    def new_id(self) -> Any:
        """Return an id for a record."""

    def write(self, records: Sequence[tuple[Any, AuditRecord]], seconds: float) -> None:
        """Make records durable within ``seconds``, or raise StoreUnavailable."""


@dataclass(slots=True)
class Entry:
    """The record in the making; whoever learns who asks, or what about, says so here.

    An operation on several secrets has a part for each, and each becomes a record of its own.
    ``reason`` says why this part failed, whether the others go on or fail with it; or why an operation
    failed that has an outcome to show all the same.
    """

    operation: str
    caller: Caller
    actor: str = "anonymous"
    secret_id: str | None = None
    path: str | None = None
    token_id: str | None = None
    reason: str | None = None
    parts: list[Entry] = field(default_factory=list)

    def part(self) -> Entry:
        """Return the record in the making of one secret of several."""
        part = Entry(self.operation, self.caller, self.actor)
        self.parts.append(part)
        return part

    def finish(self, reason: str | None) -> list[AuditRecord]:
        """Return the finished records, with the present as their time; ``reason`` is why all of it failed."""
        if self.parts:
            return [record for part in self.parts for record in part.finish(part.reason or reason)]
        reason = reason or self.reason
        return [
            AuditRecord(
                timestamp=datetime.now(UTC),
                operation=self.operation,
                secret_id=self.secret_id,
                client_ip=self.caller.client_ip,
                status=Status.FAILURE if reason else Status.SUCCESS,
                actor=self.actor,
                request_id=self.caller.request_id,
                reason=reason,
                path=self.path,
                token_id=self.token_id,
            )
        ]


@dataclass(slots=True, eq=False)
class _Pending:
    record_id: Any
    record: AuditRecord
    written: bool = field(default=False)


class Recorder:
    """Writes records to ``sink``, each within ``time_limit`` seconds after its operation has ended."""

    def __init__(self, sink: Sink, time_limit: float, *, enabled: bool) -> None:
        self._sink = sink
        self._time_limit = time_limit
        self._enabled = enabled
        self._pending: list[_Pending] = []
        self._pending_lock = threading.Lock()
        self._writing = threading.Lock()

    @contextmanager
    def entry(self, operation: str, caller: Caller) -> Iterator[Entry]:
        """Open the record of one operation; leaving the ``with`` makes it durable.

        An error on the way is recorded as a failure with its reason, and goes on.

        Raises:
            AuditUnavailable: the record could not be written; the operation itself may have been.
        """
        entry = Entry(operation, caller)
        try:
            yield entry
        except Exception as error:
            self._record(entry.finish(error.reason if isinstance(error, VaultError) else VaultError.reason))
            raise
        self._record(entry.finish(None))

    def _record(self, records: Sequence[AuditRecord]) -> None:
        if not self._enabled:
            return
        deadline = time.monotonic() + self._time_limit
        mine = [_Pending(self._sink.new_id(), record) for record in records]
        with self._pending_lock:
            self._pending += mine
        try:
            if not self._writing.acquire(timeout=self._time_limit):
                raise AuditUnavailable("the audit log did not take the record in time")
            try:
                if not all(pending.written for pending in mine):
                    self._write_pending(deadline - time.monotonic())
            finally:
                self._writing.release()
        finally:
            self._forget(mine)

    def _write_pending(self, seconds: float) -> None:
        with self._pending_lock:
            batch = list(self._pending)
        try:
            self._sink.write([(pending.record_id, pending.record) for pending in batch], seconds)
        except StoreUnavailable as error:
            # Only the thread that wrote gives up: its time was up.  The others stay in the queue
            # and try for themselves, under ids that keep a record from being written twice.
            raise AuditUnavailable(f"the audit log cannot be written: {error}") from None
        with self._pending_lock:
            for pending in batch:
                pending.written = True
            self._pending = [pending for pending in self._pending if not pending.written]

    def _forget(self, mine: Sequence[_Pending]) -> None:
        """Take those out of the queue that were not written: nobody waits for them any more."""
        if not all(pending.written for pending in mine):
            with self._pending_lock:
                self._pending = [pending for pending in self._pending if pending not in mine]
