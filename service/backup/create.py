"""Makes a backup: everything as of one point in time, encrypted while it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from typing import Any

from ..audit import checkpoints
from ..audit.key import AuditKey
from ..crypto import aead, mac
from ..crypto.keyring import KeyRing
from ..errors import CannotDecrypt, Tampered
from ..keys.canary import KeyRingCheck
from ..models import EncryptedItem
from ..store.snapshot import Snapshot
from . import archive
from .archive import Watcher
from .manifest import FORMAT, Manifest, Tally


class Backup:
    """One backup; ``manifest`` is available after ``pieces`` has been read to its end."""

    def __init__(
        self,
        take_snapshot: Callable[[], AbstractContextManager[Snapshot]],
        ring: KeyRing,
        key_check: KeyRingCheck,
        audit_key: AuditKey,
        watcher: Watcher,
    ) -> None:
        self._take_snapshot = take_snapshot
        self._ring = ring
        self._key_check = key_check
        self._audit_key = audit_key
        self._watcher = watcher
        self._id = archive.new_id()
        self._manifest: Manifest | None = None

    @property
    def manifest(self) -> Manifest:
        """The manifest of the finished backup."""
        if self._manifest is None:
            raise RuntimeError("the pieces were not read to their end")
        return self._manifest

    def pieces(self) -> Iterator[bytes]:
        """Yield the file, piece by piece.

        Raises:
            KeyRingMismatch: the key ring does not fit the data, so the backup could not be read with it.
            RestoreUnfinished: the database is incomplete.
            StoreUnavailable: the database did not answer.
            ConfigurationError: it took longer than MongoDB keeps the snapshot.
        """
        self._key_check.check()
        with self._take_snapshot() as snapshot:
            self._watcher.begin("backing up", snapshot.count())
            yield from archive.seal(self._frames(snapshot), self._id, self._ring)

    def _frames(self, snapshot: Snapshot) -> Iterator[bytes]:
        tally, key_ids = Tally(), set[str]()
        checkpoint = self._checkpoint(snapshot)
        for batch in snapshot.batches():
            tally.add(batch.collection, batch.documents)
            key_ids.update(_key_ids(batch.sealed))
            yield archive.documents_frame(batch.collection, batch.documents)
            self._watcher.add("backing up", batch.count)
        self._manifest = Manifest(
            format=FORMAT,
            backup_id=self._id,
            made_at=snapshot.time.isoformat(),
            cluster_time=snapshot.cluster_time,
            key_id=self._ring.key_ids[0],
            key_ids=tuple(sorted(key_ids)),
            parts=tally.parts(),
            checkpoint=checkpoint,
        )
        yield archive.manifest_frame(self._manifest)

    def _checkpoint(self, snapshot: Snapshot) -> dict[str, Any] | None:
        """Return the newest checkpoint of the audit log, or None if it or the audit key was altered."""
        document = snapshot.newest_checkpoint()
        if document is None:
            return None
        try:
            found = checkpoints.authentic(self._audit_key.keys(), document)
        except CannotDecrypt:
            # What can be read of the rest is worth a backup.
            return None
        return None if found is None else checkpoints.to_json(found)


def _key_ids(sealed: Iterable[tuple[EncryptedItem, bytes]]) -> Iterator[str]:
    for kind, value in sealed:
        # A record of an earlier implementation has no key id, and an altered one may have none.
        if kind is not EncryptedItem.LEGACY:
            with suppress(Tampered):
                yield (aead.key_id if kind is EncryptedItem.VERSION else mac.key_id)(value).hex()
