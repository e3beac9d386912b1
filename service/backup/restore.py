"""Restores a backup: first into staging collections and, if it proves to be complete, into the live ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from ..crypto.keyring import KeyRing
from ..errors import ConfigurationError, Tampered, UnknownKey
from ..keys import canary
from ..keys.canary import KeyRingCheck
from ..models import now
from ..store.master_keys import KeyStore
from ..store.restore import RestoreStore
from ..store.staging import Staging
from .archive import Archive, Watcher
from .manifest import Manifest


@dataclass(frozen=True, slots=True)
class Restore:
    """One restore; ``accept_log`` is called after the audit log was replaced by that of the backup."""

    store: RestoreStore
    staging: Staging
    keys: KeyStore
    ring: KeyRing
    key_check: KeyRingCheck
    accept_log: Callable[[], object]
    watcher: Watcher
    clock: Callable[[], datetime] = now

    def run(self, source: BinaryIO, *, replace: bool) -> Manifest:
        """Restore the backup; live data is not changed before the whole backup was read and verified.

        Raises:
            ConfigurationError: there are secrets already, and ``replace`` is False.
            KeyRingMismatch: the key ring does not fit the existing data.
            Tampered, UnknownKey: the backup cannot be used; the message says why.
            StoreUnavailable: the restore may be incomplete; if so, the database is marked: run it again.
        """
        archive = self._begin(source, replace=replace)
        try:
            manifest = stage(archive, self.staging, self.ring, self.watcher)
            self.keys.register(self.ring.key_ids)
            if holds_earlier(self.staging, self.ring):
                self.key_check.renew_canary(accept_earlier=True)
            for count in self.store.put_in_place(self.staging, self.clock()):
                self.watcher.add("restoring", count)
            if self.store.is_other_log(self.staging):
                # The anchors still have checkpoints of the log that was here, or later ones of the backup's.
                self.accept_log()
        finally:
            self.staging.clear()
        return manifest

    def check(self, source: BinaryIO, *, replace: bool) -> Manifest:
        """Read all of the backup and raise what ``run`` would; nothing is changed."""
        manifest = self._begin(source, replace=replace).read_manifest()
        _require_keys(manifest, self.ring)
        return manifest

    def _begin(self, source: BinaryIO, *, replace: bool) -> Archive:
        archive = Archive(source, self.ring)
        self.key_check.open_canary()
        # Secrets that an interrupted restore has left are not a reason to stop.
        if not replace and self.store.holds_secrets() and not self.store.is_unfinished():
            raise ConfigurationError(
                "there are secrets in this database, and a restore replaces them with those of the backup:"
                " if that is what you want, say --replace"
            )
        return archive


def stage(archive: Archive, staging: Staging, ring: KeyRing, watcher: Watcher) -> Manifest:
    """Insert a backup's documents into staging collections; return its manifest when all are there.

    Raises:
        Tampered: it was altered, or not all of it arrived in the database.
        UnknownKey: something in it is under a master key that the ring lacks.
        StoreUnavailable: the database did not answer.
        ConfigurationError: another restore or drill is running.
    """
    staging.clear()
    for collection, documents in archive.batches():
        watcher.add("reading", staging.put(collection, documents))
    manifest = archive.manifest
    _require_keys(manifest, ring)
    for name, part in manifest.parts.items():
        if (found := staging.count(name)) != part.documents:
            raise Tampered(f"only {found} of {part.documents} documents of {name} are in the database")
    return manifest


def holds_earlier(staging: Staging, ring: KeyRing) -> bool:
    """Return whether there may be records of earlier versions among the staged ones.

    Raises:
        Tampered, UnknownKey: the staged canary does not open.
        StoreUnavailable: the database did not answer.
    """
    staged = staging.canary()
    return staged is None or canary.open_(staged, ring)


def _require_keys(manifest: Manifest, ring: KeyRing) -> None:
    if missing := sorted(set(manifest.key_ids) - set(ring.key_ids)):
        raise UnknownKey(
            f"records in it are under master key {', '.join(missing)}; the key ring holds"
            f" {', '.join(ring.key_ids)}: add the missing key to MASTER_KEYS_DIR"
        )
