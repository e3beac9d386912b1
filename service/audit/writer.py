"""Appends records to the chain of this process."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from ..errors import StoreUnavailable, Tampered
from ..models import AuditRecord, now
from . import chain
from .chain import AuditKeys, Head, Link

log = logging.getLogger(__name__)

_ATTEMPTS = 3


class Log(Protocol):
    """Where records become durable."""

    def append(self, links: Sequence[Link], seconds: float) -> bool:
        """Make records durable within ``seconds``, in order, or raise StoreUnavailable.

        After that error the first few of them may have been written.  An id is never used twice: return
        whether all ids were free; if one was taken, that record and those after it are not written.
        """

    def records_after(self, head: Head, seconds: float) -> Iterable[Mapping[str, object]]:
        """Return the stored records of a chain after ``head``, in order."""


class ChainWriter:
    """The chain of this process; it begins with the first record.

    ``keys`` returns the keys that authenticate records, or raises Unavailable or CannotDecrypt.
    """

    def __init__(self, log: Log, keys: Callable[[], AuditKeys]) -> None:
        self._log = log
        self._keys = keys
        self._lock = threading.Lock()
        self._head: Head | None = None
        self._pid = os.getpid()
        # Whether the database is known to have the chain up to its head and nothing after it.
        self._in_sync = True

    @property
    def name(self) -> str | None:
        """The writer's name, while it has an open chain."""
        head = self._head
        return None if head is None or head.closed or self._pid != os.getpid() else head.writer

    def append(self, records: Sequence[AuditRecord], seconds: float) -> None:
        """Make records durable within ``seconds``; concurrent calls run one after the other.

        Raises:
            StoreUnavailable: the first few of them may have been written.
            CannotDecrypt: the audit key cannot be opened.
        """
        deadline = time.monotonic() + seconds
        keys = self._keys()
        with self._lock:
            for _ in range(_ATTEMPTS):
                links = chain.link(keys, *self._placed(keys, records, deadline))
                if self._write(links, deadline):
                    return
                # Another process has closed the chain, or the driver has retried a write that had succeeded.
                head = self._caught_up(keys, deadline)
                macs = [link.mac for link in links]
                if head is not None and head.mac in macs:
                    records = [link.record for link in links[macs.index(head.mac) + 1 :]]
                    if not records:
                        return
        raise StoreUnavailable("other processes keep writing to the audit chain of this process")

    def close(self, seconds: float) -> None:
        """Close the chain, if there is one: no further record comes from this process.

        Raises:
            StoreUnavailable: it may or may not be closed; if not, another process closes it later.
        """
        deadline = time.monotonic() + seconds
        if self.name is not None:
            keys = self._keys()
            with self._lock:
                head = self._caught_up(keys, deadline)
                if head is not None and not head.closed and head.seq >= 0:
                    self._write(chain.link(keys, head, [chain.closing(head.writer, now())]), deadline)

    def _placed(
        self, keys: AuditKeys, records: Sequence[AuditRecord], deadline: float
    ) -> tuple[Head, Sequence[AuditRecord]]:
        """Return the head that the records follow, and the records, with the opening first in a new chain."""
        head = self._caught_up(keys, deadline)
        if head is None or head.closed:
            head = Head(chain.new_writer())
            self._pid, self._head = os.getpid(), head
        if head.seq < 0 and records[0].operation != chain.OPEN:
            records = [chain.opening(head.writer, now()), *records]
        return head, records

    def _write(self, links: Sequence[Link], deadline: float) -> bool:
        self._in_sync = False
        if not self._log.append(links, deadline - time.monotonic()):
            return False
        self._head = links[-1].head
        self._in_sync = True
        return True

    def _caught_up(self, keys: AuditKeys, deadline: float) -> Head | None:
        """Return the head of the chain in the database, or None if a new chain must begin.

        After a write with an unknown outcome, this reads what was written.  If that write becomes visible
        only later, it has taken an id: the next write then fails and reads again.  So a chain never has a
        gap, whatever happens to its writes.
        """
        if self._pid != os.getpid():
            # A fork has copied the chain of the parent process, which continues it.
            self._head, self._in_sync = None, True
        head = self._head
        if head is None or self._in_sync:
            return head
        try:
            for document in self._log.records_after(head, deadline - time.monotonic()):
                head = follow(keys, head, document)
        except Tampered:
            log.error(
                "audit chain %s has a record that the service did not write: beginning another", head.writer
            )
            head = None
        self._head, self._in_sync = head, True
        return head


def follow(keys: AuditKeys, head: Head, document: Mapping[str, object]) -> Head:
    """Return the head of a chain with one more record.

    Raises:
        Tampered: it is not the record that follows ``head``.
    """
    mac = document.get("mac")
    if (
        document["_id"] != chain.record_id(head.writer, head.seq + 1)
        or document.get("previous") != head.mac
        or not isinstance(mac, bytes)
        or not chain.is_authentic_document(keys, document)
    ):
        raise Tampered("does not follow the previous record")
    return Head(head.writer, head.seq + 1, mac, document.get("operation") == chain.CLOSE)
