"""Makes checkpoints of the audit log, and closes the chains of processes that were killed.

Every process tries once per interval; which one does it is decided by who is first to write the next
number.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..crypto.keyring import KeyRing
from ..errors import Tampered
from ..models import now
from ..store.audit import AuditStore
from ..store.checkpoints import CheckpointStore, WriterStore
from ..store.database import Document, deadline_in
from ..store.store import Store
from . import chain, checkpoints
from .chain import AuditKeys, Head
from .checkpoints import Checkpoint
from .key import AuditKey
from .writer import ChainWriter

# A process of which nothing was heard for so many intervals is dead.  If it is not, it finds its chain
# closed, and begins another.
LOST_AFTER = 5
# Clocks of the nodes differ by less.
_SKEW = timedelta(minutes=10)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AuditLog:
    """What checkpoints are made of and evidence is drawn from; ``ttl_days`` of 0 keeps records for good."""

    records: AuditStore
    checkpoints: CheckpointStore
    writers: WriterStore
    key: AuditKey
    interval: timedelta
    ttl_days: int
    clock: Callable[[], datetime] = now

    def expired_before(self, at: datetime) -> datetime | None:
        """Return since when records are there, or None where they are kept for good."""
        return at - timedelta(days=self.ttl_days) if self.ttl_days else None

    def alive(self, at: datetime) -> set[str]:
        """Return the writers that were heard of in the last intervals.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        return {
            writer for writer, seen in self.writers.seen().items() if seen > at - LOST_AFTER * self.interval
        }


def audit_log(store: Store, ring: KeyRing, checkpoint_seconds: int, ttl_days: int) -> AuditLog:
    """Return the audit log in this database."""
    key = AuditKey(store.audit_keys, store.audit, ring)
    interval = timedelta(seconds=checkpoint_seconds)
    return AuditLog(store.audit, store.checkpoints, store.writers, key, interval, ttl_days)


class Checkpointer:
    """What one process does for the audit log once per interval."""

    def __init__(self, audit_log: AuditLog, writer: ChainWriter) -> None:
        self._log = audit_log
        self._writer = writer
        self._known: Checkpoint | None = None
        self._keys: AuditKeys | None = None

    def run(self, *, due: bool = False) -> Checkpoint | None:
        """Tell that this process is alive; make a checkpoint if it is ``due`` and says anything new.

        Without ``due`` it is when the newest one is an interval old.

        Raises:
            StoreUnavailable: the database did not answer.
            CannotDecrypt: the audit key cannot be opened.
        """
        at = self._log.clock()
        if (name := self._writer.name) is not None:
            self._log.writers.beat(name)
        keys = self._log.key.reopen().keys
        if keys != self._keys:
            # The log of another cluster was restored: its checkpoints are in the place of those known here.
            self._keys, self._known = keys, None
        latest = self._latest(keys)
        # A little less: nobody wakes up to the millisecond.
        if latest is not None and not due and at < latest.at + 0.9 * self._log.interval:
            return None
        heads = tuple(self._heads(keys, latest, at))
        if latest is not None and set(heads) <= set(latest.heads):
            return None
        unsigned = Checkpoint(
            number=1 if latest is None else latest.number + 1,
            at=at,
            heads=heads,
            expired_before=self._log.expired_before(at),
            previous=chain.BEGINNING if latest is None else latest.mac,
        )
        made = checkpoints.signed(keys, unsigned)
        if not self._log.checkpoints.insert(checkpoints.to_json(made)):
            return None
        self._known = made
        log.info("audit checkpoint", extra={"checkpoint": checkpoints.to_json(made)})
        return made

    def end(self, seconds: float) -> None:
        """Close this process's chain, and have that in a checkpoint.

        Raises:
            StoreUnavailable, CannotDecrypt: as ``run``; another process closes the chain later.
        """
        if (name := self._writer.name) is not None:
            with deadline_in(seconds):
                self._writer.close(seconds)
                self._log.writers.remove(name)
                self.run(due=True)

    def _latest(self, keys: AuditKeys) -> Checkpoint | None:
        """Return the newest checkpoint that this process has seen or the database has."""
        document = self._log.checkpoints.newest()
        latest = self._known
        try:
            found = None if document is None else checkpoints.from_json(document)
            if found is not None and not checkpoints.is_authentic(keys, found):
                raise Tampered("does not authenticate")
            if latest is None or (found is not None and found.number >= latest.number):
                latest = found
            else:
                log.error("audit checkpoint %d was removed from the database", latest.number)
        except Tampered as error:
            log.error("the newest audit checkpoint: %s", error)
            if latest is None and document is not None and isinstance(document["_id"], int):
                # Its number is taken, and of all else nothing is known.
                latest = Checkpoint(document["_id"], chain.begun_at("0" * 8), (), None)
        self._known = latest
        return latest

    def _heads(self, keys: AuditKeys, latest: Checkpoint | None, at: datetime) -> Iterator[Head]:
        known = {} if latest is None else {head.writer: head for head in latest.heads}
        alive = self._log.alive(at)
        begun = set(self._begun(None if latest is None else latest.at - _SKEW))
        for writer in sorted({name for name, head in known.items() if not head.closed} | begun | alive):
            before = known.get(writer)
            if before is not None and before.closed:
                yield before
                continue
            last = self._log.records.last(writer)
            if last is None:
                # Expired, or removed: the checkpoints before know of it.
                continue
            try:
                head = _head(keys, last)
            except Tampered as error:
                log.error("audit record %s: %s", last["_id"], error)
                if before is not None:
                    yield before
                continue
            yield (
                head if head.closed or self._lives(writer, last, alive, at) else self._closed(keys, head, at)
            )

    def _begun(self, since: datetime | None) -> Iterator[str]:
        """Yield the writers that began since, by one look into the index for each."""
        after = "" if since is None else chain.first_name(since)
        while (found := self._log.records.next_id(after)) is not None:
            after = found + "\0"
            try:
                writer, _ = chain.place(found)
            except Tampered:
                continue
            yield writer
            after = f"{writer};"

    def _lives(self, writer: str, last: Document, alive: set[str], at: datetime) -> bool:
        return writer in alive or last["timestamp"] > at - LOST_AFTER * self._log.interval

    def _closed(self, keys: AuditKeys, head: Head, at: datetime) -> Head:
        """Close the chain of a dead process, unless it moves after all."""
        by = self._writer.name or chain.SERVICE
        (link,) = chain.link(keys, head, [chain.closing(by, at, "writer gone")])
        if not self._log.records.append([link], self._log.interval.total_seconds()):
            return head
        self._log.writers.remove(head.writer)
        log.warning("audit chain %s was not closed by its process: closed", head.writer)
        return link.head


def _head(keys: AuditKeys, document: Document) -> Head:
    """Return the head of a chain, of which this is the last record.

    Raises:
        Tampered: it is none that the service wrote.
    """
    writer, seq = chain.place(document["_id"])
    fields = {name: value for name, value in document.items() if name not in ("_id", "mac")}
    if not chain.is_authentic(keys, document["_id"], fields, document.get("mac")):
        raise Tampered("does not authenticate")
    return Head(writer, seq, document["mac"], document["operation"] == chain.CLOSE)
