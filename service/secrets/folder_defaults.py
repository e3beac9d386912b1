"""The defaults of folders: options for all secrets below that do not set them; the nearest folder counts.

They are kept as those of a secret without a value whose id and path no caller can name, as the path ends with
a slash.  So they are authenticated, rewrapped, backed up and restored as all secrets are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from ..crypto import tags
from ..crypto.keyring import KeyRing
from ..keys.canary import KeyRingCheck
from ..records import Defaults, Secret
from ..store.secrets import SecretStore
from .defaults import NONE

# For so long a process relies on what it has read; a change is answered only after that, so that whoever
# sees the answer finds it in force everywhere.
HOLD_SECONDS = 1.0
# More folders than a process writes to in that time; beyond it the cache is cleared.
_MAX_CACHED = 10_000
# The path of the record of the folder that contains every path.
ROOT = "/"


class FolderDefaults:
    """The defaults of folders, in this process's memory for ``HOLD_SECONDS``."""

    def __init__(
        self,
        store: SecretStore,
        ring: KeyRing,
        key_check: KeyRingCheck,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._ring = ring
        self._key_check = key_check
        self._clock = clock
        self._cache: dict[str, tuple[Defaults | None, float]] = {}

    def of(self, path: str) -> Defaults:
        """Return the defaults of the nearest folder that has some.

        Raises:
            Tampered, UnknownKey: one of these folders' records does not authenticate.
            StoreUnavailable: the database did not answer in time.
        """
        folders = list(_folders_of(path))
        asked_at = self._clock()
        known = {folder: self._cache.get(folder, (None, asked_at)) for folder in folders}
        if any(until <= asked_at for _, until in known.values()):
            found = {each.path: defaults_of(each) for each in self.find(folders)}
            known = {folder: (found.get(folder), asked_at + HOLD_SECONDS) for folder in folders}
            if len(self._cache) >= _MAX_CACHED:
                self._cache.clear()
            self._cache |= known
        return next((defaults for defaults, _ in known.values() if defaults is not None), NONE)

    def find(self, folders: list[str]) -> list[Secret]:
        """Return the records of those of these folders that have one.

        Raises:
            Tampered, UnknownKey, StoreUnavailable: as ``of``.
        """
        found = []
        for record in self._store.find_by_id([id_of(folder) for folder in folders]):
            if not isinstance(record, Secret):
                raise record
            tags.verify_secret(record, self._ring, self._key_check.accepts_earlier)
            found.append(record)
        return found


def id_of(folder: str) -> str:
    """Return the id of a folder's record: callers name secrets by UUIDs, so none can name this one."""
    return f"folder {folder}"


def defaults_of(record: Secret) -> Defaults:
    """Return what a folder's record says."""
    return Defaults(record.max_versions, record.cas_required, record.delete_version_after)


def _folders_of(path: str) -> Iterator[str]:
    """Yield the folders that a path is in, the nearest first."""
    folder, slash, _ = path.rpartition("/")
    while slash:
        yield f"{folder}/"
        folder, slash, _ = folder.rpartition("/")
    yield ROOT
