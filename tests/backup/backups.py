"""Helpers for tests of backups: make one in this process, and restore it."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

from service.audit import anchors
from service.audit.checkpointer import AuditLog, audit_log
from service.backup.create import Backup
from service.backup.drill import Drill
from service.backup.manifest import Manifest
from service.backup.restore import Restore
from service.crypto.keyring import KeyRing
from service.crypto.stream import CHUNK_BYTES, MAGIC
from service.keys.canary import KeyRingCheck
from service.models import DrillResult
from service.store.backup_collections import DRILL, RESTORE
from service.store.store import Store

SEALED_CHUNK_BYTES = CHUNK_BYTES + 16


class Watcher:
    """Ignores the progress."""

    def begin(self, doing: str, total: int) -> None:
        pass

    def add(self, doing: str, count: int) -> None:
        pass


@dataclass
class Operator:
    """An operator who makes backups with this key ring and restores them."""

    store: Store
    ring: KeyRing
    watcher: Watcher

    @property
    def key_check(self) -> KeyRingCheck:
        store = self.store
        return KeyRingCheck(store.canaries, store.secrets, self.ring, store.keys, store.rewrap)

    @property
    def audit_log(self) -> AuditLog:
        return audit_log(self.store, self.ring, 60, 0)

    def pieces(self) -> Iterator[bytes]:
        return Backup(
            self.store.snapshot, self.ring, self.key_check, self.audit_log.key, self.watcher
        ).pieces()

    def back_up(self) -> bytes:
        return b"".join(self.pieces())

    def restore(self, backup: bytes, *, replace: bool = False) -> Manifest:
        return self._restore().run(io.BytesIO(backup), replace=replace)

    def check(self, backup: bytes) -> Manifest:
        return self._restore().check(io.BytesIO(backup), replace=True)

    def drill(self, backup: bytes) -> tuple[DrillResult, list[str]]:
        failed: list[str] = []
        staging = self.store.staging(DRILL)
        _, result = Drill(self.store.drills, staging, self.ring, self.watcher, failed.append).run(
            io.BytesIO(backup)
        )
        return result, failed

    def _restore(self) -> Restore:
        store = self.store
        return Restore(
            store.restores,
            store.staging(RESTORE),
            store.keys,
            self.ring,
            self.key_check,
            lambda: anchors.accept(self.audit_log),
            self.watcher,
        )


def chunks(backup: bytes) -> list[bytes]:
    """Return the header of a backup and its chunks."""
    length = int.from_bytes(backup[len(MAGIC) + 1 : len(MAGIC) + 3])
    start = len(MAGIC) + 3 + length + 7
    starts = range(start, len(backup), SEALED_CHUNK_BYTES)
    return [backup[:start], *(backup[at : at + SEALED_CHUNK_BYTES] for at in starts)]
