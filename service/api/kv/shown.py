"""How Vault's clients are shown a secret and its versions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ...records import FetchedSecret, Secret, Version
from ...secrets.state import BY_AGE
from . import go

_Labels = Sequence[tuple[str, str]]


def fetched(secret: FetchedSecret) -> dict[str, Any]:
    """Return the metadata of a version that was read."""
    return _metadata(secret.labels, secret.version, secret.created_at, secret.expires_at, destroyed=False)


def version_of(secret: Secret, version: Version) -> dict[str, Any]:
    """Return the metadata of a version, in whatever state it is."""
    end = _end(secret, version)
    destroyed = version.destroyed_at is not None
    return _metadata(secret.labels, version.version, version.created_at, end, destroyed=destroyed)


def current_of(secret: Secret) -> dict[str, Any]:
    """Return the metadata of the version that was just written."""
    return version_of(secret, secret.versions[-1])


def metadata_of(secret: Secret) -> dict[str, Any]:
    """Return everything about a secret but its values.

    Versions that ``max_versions`` has destroyed are left out.
    """
    kept = [version for version in secret.versions if version.destroyed_by != BY_AGE]
    oldest = kept[0].version if kept and kept[0].version > 1 else 0
    return {
        "cas_required": secret.cas_required,
        "created_time": go.time(secret.created_at),
        "current_version": secret.current,
        "custom_metadata": dict(secret.labels) or None,
        "delete_version_after": go.duration(secret.delete_version_after),
        "max_versions": secret.max_versions,
        "oldest_version": oldest,
        "updated_time": go.time(secret.updated_at or secret.created_at),
        "versions": {
            str(version.version): {
                "created_time": go.time(version.created_at),
                "deletion_time": go.time(_end(secret, version)),
                "destroyed": version.destroyed_at is not None,
            }
            for version in kept
        },
    }


def _metadata(
    labels: _Labels, number: int, created_at: datetime | None, end: datetime | None, *, destroyed: bool
) -> dict[str, Any]:
    return {
        "created_time": go.time(created_at),
        "custom_metadata": dict(labels) or None,
        "deletion_time": go.time(end),
        "destroyed": destroyed,
        "version": number,
    }


def _end(secret: Secret, version: Version) -> datetime | None:
    """Return when a version has ended, or is known to end; None if it has no end."""
    ends = (version.deleted_at, version.expires_at, secret.deleted_at, secret.expires_at)
    return min((end for end in ends if end is not None), default=None)
