"""Reads a secret of a mount with its versions and values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .mount import KvMetadata, KvVersion, Mount, Settings


@dataclass(frozen=True, slots=True)
class KvSecret:
    """A secret; ``values`` has the fields of each version that has a value, by its number.

    ``settings`` are what holds for it.  ``versions`` are the newest ones, or none.
    """

    metadata: KvMetadata
    settings: Settings
    versions: tuple[KvVersion, ...]
    values: Mapping[int, Mapping[str, Any]] = field(repr=False)

    @property
    def left_out(self) -> int:
        """How many older versions the mount has, which are more than are kept."""
        return len(self.metadata.versions) - len(self.versions)


def read(
    mount: Mount,
    mount_settings: Settings,
    path: str,
    at: datetime,
    *,
    max_versions: int,
    current_only: bool = False,
) -> KvSecret:
    """Read a secret as it is at that time, with at most ``max_versions`` versions or only the current one.

    Raises:
        NotReadable: it is gone, or the token may not read it.
        SourceUnavailable, SourceUnusable: the server cannot be used now.
    """
    metadata = mount.metadata(path)
    settings = metadata.settings.within(mount_settings, max_versions)
    kept = metadata.versions[-1:] if current_only else metadata.versions[-settings.max_versions :]
    values = {version.number: mount.fields(path, version.number) for version in kept if version.has_value(at)}
    return KvSecret(metadata, settings, kept, values)
