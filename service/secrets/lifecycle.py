"""The rules of a secret's lifecycle, as pure functions from a secret to the changed secret.

They take the time, the actor and the defaults of the folder as arguments and use no database: the caller
(``modify``) saves the result only if the secret is unchanged since it was read, and otherwise applies the
rule again.

Version numbers are never reused, not even after a version is destroyed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ..errors import VersionConflict
from ..models import Envelope
from ..records import Defaults, Secret, State, Version
from .defaults import NONE, applied
from .options import MAX_KEPT_VERSIONS, ResolvedOptions
from .state import (
    BY_AGE,
    BY_EXPIRY,
    BY_READS,
    of_version,
    readable,
    require,
    require_known,
    version_gone,
)

_PLAIN = {"expires_at", "max_reads", "max_versions", "cas_required", "delete_version_after"}


def expect(secret: Secret, expected: int | None) -> None:
    """Check the current version against the expected one; None expects nothing.

    Raises:
        VersionConflict: the current version is another.
    """
    if expected is not None and expected != secret.current:
        raise VersionConflict(secret.current)


def configure(secret: Secret, options: ResolvedOptions) -> Secret:
    """Return the secret with these options set; an absent option is unchanged."""
    fields: dict[str, Any] = {name: value for name, value in options.items() if name in _PLAIN}
    if "labels" in options:
        fields["labels"] = tuple(sorted(options["labels"].items()))
    if "max_reads" in options:
        fields["reads_left"] = options["max_reads"]
    return replace(secret, **fields)


def extend(secret: Secret, expires_at: datetime | None, at: datetime) -> Secret:
    """Return the secret with a new expiry for its current version; None removes the expiry.

    Raises:
        SecretDeleted, SecretExpired, SecretDestroyed: that version can no longer be read; the message
            says why.
    """
    current = readable(secret, None, at).version
    return _with_each(secret, (current,), lambda version: replace(version, expires_at=expires_at))


def add(
    secret: Secret,
    sealed: Envelope,
    options: ResolvedOptions,
    at: datetime,
    by: str,
    defaults: Defaults = NONE,
) -> Secret:
    """Return the secret with a new current version."""
    version = Version(
        version=secret.current + 1,
        created_at=at,
        sealed=sealed,
        created_by=by,
        expires_at=options.get("version_expires_at"),
        deleted_at=_end_of_new(secret, defaults, at),
    )
    return replace(secret, current=version.version, versions=(*secret.versions, version))


def tidy(secret: Secret, at: datetime, defaults: Defaults = NONE) -> Secret:
    """Destroy versions that have expired or exceed ``max_versions``; drop the oldest destroyed entries."""
    expired = [each.version for each in secret.versions if of_version(each, at) is State.EXPIRED]
    secret = _destroy_versions(secret, expired, at, BY_EXPIRY)
    left = [each.version for each in secret.versions if each.destroyed_at is None]
    secret = _destroy_versions(secret, left[: -applied(secret, defaults).max_versions], at, BY_AGE)
    surplus = [each for each in secret.versions if each.destroyed_at is not None]
    forgotten = surplus[: max(0, len(secret.versions) - MAX_KEPT_VERSIONS)]
    return replace(secret, versions=tuple(each for each in secret.versions if each not in forgotten))


def delete(secret: Secret, numbers: Collection[int], at: datetime, by: str) -> Secret:
    """Delete the secret, or only these versions of it; versions that are not live are unchanged.

    Raises:
        NoSuchVersion: a version has not existed yet.
        SecretDeleted, SecretExpired, SecretDestroyed, AlreadyRead: the secret itself is in that state.
    """
    if not numbers:
        require(secret, at, State.LIVE, State.DELETED)
        return secret if secret.deleted_at is not None else replace(secret, deleted_at=at, deleted_by=by)

    def delete_version(version: Version) -> Version:
        if of_version(version, at) is not State.LIVE:
            return version
        return replace(version, deleted_at=at, deleted_by=by)

    require(secret, at, State.LIVE)
    return _with_each(secret, numbers, delete_version)


def undelete(secret: Secret, numbers: Collection[int], at: datetime) -> Secret:
    """Restore the deleted secret, or only these versions of it; also cancels a scheduled deletion.

    Raises:
        NoSuchVersion: a version has not existed yet.
        SecretDeleted, SecretExpired, SecretDestroyed, AlreadyRead: it cannot be restored; the message
            says why.
    """
    if not numbers:
        require(secret, at, State.LIVE, State.DELETED)
        return replace(secret, deleted_at=None, deleted_by=None)

    def undelete_version(version: Version) -> Version:
        if (state := of_version(version, at)) in (State.EXPIRED, State.DESTROYED):
            raise version_gone(version, state)
        return replace(version, deleted_at=None, deleted_by=None)

    require(secret, at, State.LIVE)
    return _with_each(secret, numbers, undelete_version)


def destroy(secret: Secret, numbers: Collection[int], at: datetime, by: str) -> Secret:
    """Remove the values of the secret, or only of these versions; already destroyed ones are unchanged.

    Raises:
        NoSuchVersion: a version has not existed yet.
        SecretExpired, SecretDestroyed, AlreadyRead: versions are named, and the secret is in that state.
    """
    if numbers:
        require(secret, at, State.LIVE, State.DELETED)
        return _destroy_versions(secret, numbers, at, by)
    if secret.destroyed_at is not None:
        return secret
    secret = _destroy_versions(secret, [each.version for each in secret.versions], at, by)
    return replace(secret, path=None, former_path=secret.path, destroyed_at=at, destroyed_by=by)


def delete_each_version(secret: Secret, at: datetime) -> Secret:
    """Return a deleted secret as one in use, all of whose versions are deleted since then."""
    if secret.deleted_at is None:
        return secret

    def delete_version(version: Version) -> Version:
        if of_version(version, at) is not State.LIVE:
            return version
        return replace(version, deleted_at=secret.deleted_at, deleted_by=secret.deleted_by)

    versions = tuple(delete_version(version) for version in secret.versions)
    return replace(secret, versions=versions, deleted_at=None, deleted_by=None)


def restore_versions(
    secret: Secret, numbers: Collection[int], at: datetime, defaults: Defaults = NONE
) -> Secret:
    """Return the secret with those of these versions restored that can be; their time to live starts anew."""

    def restore(version: Version) -> Version:
        if of_version(version, at) in (State.EXPIRED, State.DESTROYED):
            return version
        return replace(version, deleted_at=_end_of_new(secret, defaults, at), deleted_by=None)

    return _with_each(secret, numbers, restore)


def take_read(secret: Secret, at: datetime, by: str, client_ip: str) -> Secret:
    """Use up one read of a secret with limited reads; the last one destroys it."""
    left = (secret.reads_left or 0) - 1
    counted = replace(secret, reads_left=left, read_at=at, read_by=by, read_from=client_ip)
    return counted if left > 0 else destroy(counted, (), at, BY_READS)


def _end_of_new(secret: Secret, defaults: Defaults, at: datetime) -> datetime | None:
    after = applied(secret, defaults).delete_version_after
    return None if after is None else at + timedelta(seconds=after)


def _destroy_versions(secret: Secret, numbers: Collection[int], at: datetime, by: str) -> Secret:
    def destroy_version(version: Version) -> Version:
        if version.destroyed_at is not None:
            return version
        return replace(version, sealed=None, destroyed_at=at, destroyed_by=by)

    return _with_each(secret, numbers, destroy_version)


def _with_each(secret: Secret, numbers: Collection[int], change: Callable[[Version], Version]) -> Secret:
    require_known(secret, numbers)
    versions = (change(each) if each.version in numbers else each for each in secret.versions)
    return replace(secret, versions=tuple(versions))
