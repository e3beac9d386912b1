"""Brings a backup back: apart first, until it has shown to be whole, and then into its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from ..crypto.keyring import KeyRing
from ..errors import ConfigurationError, Tampered, UnknownKey
from ..keys.canary import KeyRingCheck
from ..models import now
from ..store.master_keys import KeyStore
from ..store.restore import RestoreStore
from ..store.staging import Staging
from .archive import Archive, Watcher
from .manifest import Manifest


@dataclass(frozen=True, slots=True)
class Restore:
    """What a restore works with."""

    store: RestoreStore
    staging: Staging
    keys: KeyStore
    ring: KeyRing
    key_check: KeyRingCheck
    watcher: Watcher
    clock: Callable[[], datetime] = now

    def run(self, source: BinaryIO, *, replace: bool) -> Manifest:
        """Do it; before all of the backup was read and found whole, nothing of what is there is touched.

        Raises:
            ConfigurationError: there are secrets already, and nobody said that they make way.
            KeyRingMismatch: the key ring does not fit what is there.
            Tampered, UnknownKey: the backup cannot be used; the message says why.
            StoreUnavailable: it may be half done; then the database is marked, and it is to be done again.
        """
        archive = self._begin(source, replace=replace)
        try:
            manifest = stage(archive, self.staging, self.ring, self.watcher)
            self.keys.register(self.ring.key_ids)
            for count in self.store.put_in_place(self.staging, self.clock()):
                self.watcher.add("restoring", count)
        finally:
            self.staging.clear()
        return manifest

    def check(self, source: BinaryIO, *, replace: bool) -> Manifest:
        """Read all of the backup and raise what ``run`` would; nothing is changed."""
        archive = self._begin(source, replace=replace)
        for _ in archive.batches():
            pass
        _require_keys(archive.manifest, self.ring)
        return archive.manifest

    def _begin(self, source: BinaryIO, *, replace: bool) -> Archive:
        archive = Archive(source, self.ring)
        self.key_check.open_canary()
        # What an interrupted one has left is no reason: it was allowed before.
        if not replace and self.store.holds_secrets() and not self.store.is_unfinished():
            raise ConfigurationError(
                "there are secrets in this database, and a restore puts those of the backup in their place:"
                " if that is meant, say --replace"
            )
        return archive


def stage(archive: Archive, staging: Staging, ring: KeyRing, watcher: Watcher) -> Manifest:
    """Put a backup's documents apart, and return its manifest once all of them are there.

    Raises:
        Tampered: it is not what was sealed, or not all of it arrived.
        UnknownKey: something in it is under a master key that the ring lacks.
        StoreUnavailable: the database did not answer.
        ConfigurationError: another one like this is at work.
    """
    staging.clear()
    for collection, documents in archive.batches():
        watcher.add("reading", staging.put(collection, documents))
    manifest = archive.manifest
    _require_keys(manifest, ring)
    for name, part in manifest.parts.items():
        if (found := staging.count(name)) != part.documents:
            raise Tampered(f"of {part.documents} documents of {name}, {found} arrived in the database")
    return manifest


def _require_keys(manifest: Manifest, ring: KeyRing) -> None:
    if missing := sorted(set(manifest.key_ids) - set(ring.key_ids)):
        raise UnknownKey(
            f"secrets or tokens in it are under master key {', '.join(missing)}; the key ring holds"
            f" {', '.join(ring.key_ids)}: add the missing key to MASTER_KEYS_DIR"
        )
