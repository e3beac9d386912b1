"""Makes checkpoints of the audit log, and closes the chains of processes that were killed.

Every process tries once per interval; the first one to write the next number succeeds.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from .. import __version__
from ..crypto.keyring import KeyRing
from ..errors import Tampered
from ..models import now
from ..store.audit import AuditStore
from ..store.checkpoints import AcceptanceStore, CheckpointStore, SeenWriter, WriterStore
from ..store.database import Document, deadline_in
from ..store.store import Store
from . import chain, checkpoints
from .anchor_file import AnchorFile
from .chain import AuditKeys, Head
from .checkpoints import Checkpoint
from .key import AuditKey
from .writer import ChainWriter

# After so many intervals without a sign of life, a process counts as dead.  If it is alive after all, it
# finds its chain closed and begins another.
LOST_AFTER = 5
# The nodes' clocks differ by less than this.
_SKEW = timedelta(minutes=10)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AuditLog:
    """What making checkpoints and verifying the log need; with ``ttl_days`` of 0, records never expire.

    ``anchor`` keeps this node's copy of the newest checkpoint, outside the database; None if none is kept.
    """

    records: AuditStore
    checkpoints: CheckpointStore
    writers: WriterStore
    acceptances: AcceptanceStore
    key: AuditKey
    interval: timedelta
    ttl_days: int
    anchor: AnchorFile | None
    clock: Callable[[], datetime] = now

    def expired_before(self, at: datetime) -> datetime | None:
        """Return the time before which records may have expired, or None if they never expire."""
        return at - timedelta(days=self.ttl_days) if self.ttl_days else None

    def alive(self, at: datetime) -> set[str]:
        """Return the names of the writers that are ``living``.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        return {writer.name for writer in self.living(at)}

    def living(self, at: datetime) -> list[SeenWriter]:
        """Return the writers that gave a sign of life in the last ``LOST_AFTER`` intervals.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        return [writer for writer in self.writers.seen() if writer.seen_at > at - LOST_AFTER * self.interval]


def audit_log(
    store: Store, ring: KeyRing, checkpoint_seconds: int, ttl_days: int, anchor_dir: Path | None = None
) -> AuditLog:
    """Return the audit log in this database; the newest checkpoint is also kept in ``anchor_dir``."""
    return AuditLog(
        store.audit,
        store.checkpoints,
        store.writers,
        store.acceptances,
        AuditKey(store.audit_keys, store.audit, ring),
        timedelta(seconds=checkpoint_seconds),
        ttl_days,
        None if anchor_dir is None else AnchorFile(anchor_dir),
    )


class Checkpointer:
    """The work of one process for the audit log, once per interval."""

    def __init__(self, audit_log: AuditLog, writer: ChainWriter) -> None:
        self._log = audit_log
        self._writer = writer
        self._latest_seen: Checkpoint | None = None
        self._keys: AuditKeys | None = None

    def run(self, *, due: bool = False) -> Checkpoint | None:
        """Record that this process is alive; make a checkpoint if one is due and there is anything new.

        One is due if the newest is an interval old; ``due`` makes it due now.

        Raises:
            StoreUnavailable: the database did not answer.
            CannotDecrypt: the audit key cannot be opened.
        """
        at = self._log.clock()
        if (name := self._writer.name) is not None:
            self._log.writers.beat(name, socket.gethostname(), __version__)
        keys = self._log.key.reopen().keys
        if keys != self._keys:
            # The log of another cluster was restored: its checkpoints have replaced those seen here.
            self._keys, self._latest_seen = keys, None
        latest = self._latest(keys)
        # A little less than the interval: the thread does not wake up to the millisecond.
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
        records = self._log.checkpoints.records() + _growth(latest, heads)
        if not self._log.checkpoints.insert(checkpoints.to_json(made), records):
            return None
        self._latest_seen = made
        log.info("audit checkpoint", extra={"checkpoint": checkpoints.to_json(made)})
        return made

    def end(self, seconds: float) -> None:
        """Close this process's chain, and make a checkpoint that covers that.

        Raises:
            StoreUnavailable, CannotDecrypt: as ``run``; another process then closes the chain later.
        """
        if (name := self._writer.name) is not None:
            with deadline_in(seconds):
                self._writer.close(seconds)
                self._log.writers.remove(name)
                self.run(due=True)

    def _latest(self, keys: AuditKeys) -> Checkpoint | None:
        """Return the newest checkpoint, in the database or seen before by this process."""
        document = self._log.checkpoints.newest()
        latest = self._latest_seen
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
                # Its number is taken; nothing else in it can be trusted.
                latest = Checkpoint(document["_id"], chain.begun_at("0" * 8), (), None)
        self._latest_seen = latest
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
                # Expired, or removed: earlier checkpoints have it.
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
        """Yield the writers created since then, with one index lookup for each."""
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
        """Close the chain of a dead process, unless that process writes after all."""
        by = self._writer.name or chain.SERVICE
        (link,) = chain.link(keys, head, [chain.closing(by, at, "writer gone")])
        if not self._log.records.append([link], self._log.interval.total_seconds()):
            return head
        self._log.writers.remove(head.writer)
        log.warning("closed the audit chain %s, whose process is gone", head.writer)
        return link.head


def _growth(before: Checkpoint | None, heads: Iterable[Head]) -> int:
    """Return how many records the heads cover that an earlier checkpoint did not."""
    covered = {} if before is None else {head.writer: head.seq for head in before.heads}
    return sum(head.seq - covered.get(head.writer, -1) for head in heads)


def _head(keys: AuditKeys, document: Document) -> Head:
    """Return the head of the chain whose last record this is.

    Raises:
        Tampered: the service did not write this record.
    """
    writer, seq = chain.place(document["_id"])
    if not chain.is_authentic_document(keys, document):
        raise Tampered("does not authenticate")
    return Head(writer, seq, document["mac"], document["operation"] == chain.CLOSE)
