"""The dependencies of the use cases for secrets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ..audit.deliveries import Deliveries
from ..crypto.keyring import KeyRing
from ..keys.canary import KeyRingCheck
from ..models import now
from ..records import Defaults
from ..store.secret_listing import ListingStore
from ..store.secrets import SecretStore
from .defaults import NONE
from .folder_defaults import FolderDefaults


@dataclass(frozen=True, slots=True)
class SecretServices:
    """The dependencies; ``max_secret_bytes`` limits one value, ``clock`` decides when a secret expires."""

    secrets: SecretStore
    listing: ListingStore
    ring: KeyRing
    key_check: KeyRingCheck
    max_secret_bytes: int
    deliveries: Deliveries
    folders: FolderDefaults
    clock: Callable[[], datetime] = now

    def defaults_of(self, path: str | None) -> Defaults:
        """Return the options for secrets that have none of their own, at a path or, if None, without one.

        Raises:
            Tampered, UnknownKey, StoreUnavailable: as ``FolderDefaults.of``.
        """
        return NONE if path is None else self.folders.of(path)
