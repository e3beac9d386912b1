"""Records every operation before its answer is sent; without a record, no answer is sent.

Records of concurrent requests are written together (group commit).  Only what is refused past a rate limit is
recorded later, by its number: otherwise a flood of such calls would fill the disk.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ..errors import (
    AuditUnavailable,
    CannotDecrypt,
    StoreUnavailable,
    TooManyRequests,
    Unavailable,
    VaultError,
)
from ..group_commit import GroupCommit
from ..models import AuditRecord, Caller, Status, now
from .refusals import Refusals

# Calls per batch; even with a hundred records each, that is far below MongoDB's limit.
_MAX_BATCH = 256


class Sink(Protocol):
    """Where records become durable."""

    def append(self, records: Sequence[AuditRecord], seconds: float) -> None:
        """Make records durable within ``seconds``, or raise Unavailable or CannotDecrypt."""


@dataclass(slots=True)
class Entry:
    """An audit record that is being filled in: the code that learns the caller or the target sets it here.

    An operation on several secrets has one item per secret, and each becomes its own record.  ``reason`` says
    why this item failed, regardless of the other items, or why an operation failed that still returns a
    result.
    """

    operation: str
    caller: Caller
    actor: str = "anonymous"
    secret_id: str | None = None
    path: str | None = None
    token_id: str | None = None
    new_path: str | None = None
    grant_id: str | None = None
    version: int | None = None
    service: str | None = None
    service_id: str | None = None
    task_id: str | None = None
    node_id: str | None = None
    docker_secret: str | None = None
    api: str | None = None
    role_id: str | None = None
    accessor: str | None = None
    reason: str | None = None
    items: list[Entry] = field(default_factory=list)

    def add_item(self) -> Entry:
        """Add and return the entry for one of several secrets."""
        item = Entry(self.operation, self.caller, self.actor, api=self.api)
        self.items.append(item)
        return item

    def finish(self, reason: str | None) -> list[AuditRecord]:
        """Return the finished records, timed now; ``reason`` is why the whole operation failed."""
        if self.items:
            return [record for item in self.items for record in item.finish(item.reason or reason)]
        reason = reason or self.reason
        return [
            AuditRecord(
                timestamp=now(),
                operation=self.operation,
                secret_id=self.secret_id,
                client_ip=self.caller.client_ip,
                status=Status.FAILURE if reason else Status.SUCCESS,
                actor=self.actor,
                request_id=self.caller.request_id,
                reason=reason,
                path=self.path,
                token_id=self.token_id,
                new_path=self.new_path,
                grant_id=self.grant_id,
                version=self.version,
                service=self.service,
                service_id=self.service_id,
                task_id=self.task_id,
                node_id=self.node_id,
                docker_secret=self.docker_secret,
                api=self.api,
                role_id=self.role_id,
                accessor=self.accessor,
            )
        ]


@dataclass(frozen=True, slots=True)
class _Finished:
    """The records of one operation, and the deadline for writing them (monotonic, in seconds)."""

    records: Sequence[AuditRecord]
    deadline: float


class Recorder:
    """Writes records to ``sink``, each within ``record_timeout`` seconds after its operation has ended."""

    def __init__(self, sink: Sink, record_timeout: float, *, enabled: bool) -> None:
        self._sink = sink
        self._record_timeout = record_timeout
        self._enabled = enabled
        self._group = GroupCommit(self._write, _MAX_BATCH)
        self._refusals = Refusals()

    def entry(self, operation: str, caller: Caller) -> AbstractContextManager[Entry]:
        """Open the record of one operation; leaving the ``with`` makes it durable.

        An error inside the ``with`` is recorded as a failure with its reason, and raised again.  Refusals
        that are tallied are only counted: see ``write_refusals``.

        Raises:
            AuditUnavailable: the record could not be written; the operation may have been done.
        """
        return _Open(self, Entry(operation, caller))

    def record(self, records: Sequence[AuditRecord]) -> None:
        """Make the records of one operation durable.

        Raises:
            AuditUnavailable: they could not be written.
        """
        if not self._enabled:
            return
        deadline = time.monotonic() + self._record_timeout
        try:
            self._group.submit(_Finished(records, deadline), self._record_timeout)
        except StoreUnavailable:
            raise AuditUnavailable("the audit record could not be written in time") from None

    def fail(self, entry: Entry, error: Exception) -> None:
        """Make the record of a failed operation durable, or count it if that is enough.

        Raises:
            AuditUnavailable: it could not be written.
        """
        tallied = isinstance(error, TooManyRequests) and error.tallied
        if tallied and self._refusals.add(entry.operation, entry.caller, entry.actor, now()):
            return
        reason = error.reason if isinstance(error, VaultError) else VaultError.reason
        self.record(entry.finish(reason))

    def write_refusals(self, until: datetime | None = None) -> None:
        """Write the records of what was refused in minutes that have ended by ``until``; without it, of all.

        Raises:
            AuditUnavailable: some could not be written, and are kept for the next time.  Those of which the
                outcome is not known may then be written twice.
        """
        while tallies := self._refusals.take(_MAX_BATCH, until):
            try:
                self.record([tally.record() for tally in tallies.values()])
            except AuditUnavailable:
                self._refusals.put_back(tallies)
                raise

    def _write(self, finished: list[_Finished]) -> list[None]:
        records = [record for operation in finished for record in operation.records]
        seconds = max(operation.deadline for operation in finished) - time.monotonic()
        try:
            self._sink.append(records, seconds)
        except (Unavailable, CannotDecrypt) as error:
            raise AuditUnavailable(f"the audit log cannot be written: {error}") from None
        return [None] * len(finished)


class _Open(AbstractContextManager[Entry]):
    """A record until its operation ends.  A class, because every request has one: see ``deadline_in``."""

    __slots__ = ("_entry", "_recorder")

    def __init__(self, recorder: Recorder, entry: Entry) -> None:
        self._recorder = recorder
        self._entry = entry

    def __enter__(self) -> Entry:
        return self._entry

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None:
            self._recorder.record(self._entry.finish(None))
        elif isinstance(error, Exception):
            self._recorder.fail(self._entry, error)
