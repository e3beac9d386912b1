"""The rules of a secret's lifecycle: what each change makes of it.

Pure functions from a secret to the next one.  They are given the time and the actor and know no
database: the caller (``modify``) saves the result only if nobody else has changed the secret in the
meantime, and otherwise applies the rule again.

Version numbers keep counting through deletions and destructions, so that none ever names two values.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ..errors import VersionConflict
from ..models import Envelope
from ..records import Secret, State, Version
from .options import ResolvedOptions
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

# Versions that are remembered, destroyed ones included; of older ones it is only known that there were.
_MAX_ENTRIES = 100
_PLAIN = {"expires_at", "max_reads", "max_versions", "cas_required", "delete_version_after"}


def expect(secret: Secret, expected: int | None) -> None:
    """Return if the current version is the expected one, or none is expected.

    Raises:
        VersionConflict: it is another.
    """
    if expected is not None and expected != secret.current:
        raise VersionConflict(secret.current)


def configure(secret: Secret, options: ResolvedOptions) -> Secret:
    """Return the secret with these options; those that are absent stay as they are."""
    fields: dict[str, Any] = {name: value for name, value in options.items() if name in _PLAIN}
    if "labels" in options:
        fields["labels"] = tuple(sorted(options["labels"].items()))
    if "max_reads" in options:
        fields["reads_left"] = options["max_reads"]
    return replace(secret, **fields)


def extend(secret: Secret, expires_at: datetime | None, at: datetime) -> Secret:
    """Return the secret with another expiry of its current version, or none.

    Raises:
        SecretDeleted, SecretExpired, SecretDestroyed: that version cannot be read any more; the message
            says why.
    """
    current = readable(secret, None, at).version
    return _with_each(secret, (current,), lambda version: replace(version, expires_at=expires_at))


def add(secret: Secret, sealed: Envelope, options: ResolvedOptions, at: datetime, by: str) -> Secret:
    """Return the secret with another value as its current version."""
    after = secret.delete_version_after
    version = Version(
        version=secret.current + 1,
        created_at=at,
        sealed=sealed,
        created_by=by,
        expires_at=options.get("version_expires_at"),
        deleted_at=None if after is None else at + timedelta(seconds=after),
    )
    return replace(secret, current=version.version, versions=(*secret.versions, version))


def tidy(secret: Secret, at: datetime) -> Secret:
    """Destroy the versions that have expired or are beyond ``max_versions``; forget the oldest entries."""
    expired = [each.version for each in secret.versions if of_version(each, at) is State.EXPIRED]
    secret = _destroy_versions(secret, expired, at, BY_EXPIRY)
    left = [each.version for each in secret.versions if each.destroyed_at is None]
    secret = _destroy_versions(secret, left[: -secret.max_versions], at, BY_AGE)
    surplus = [each for each in secret.versions if each.destroyed_at is not None]
    forgotten = surplus[: max(0, len(secret.versions) - _MAX_ENTRIES)]
    return replace(secret, versions=tuple(each for each in secret.versions if each not in forgotten))


def delete(secret: Secret, numbers: Collection[int], at: datetime, by: str) -> Secret:
    """Hide the secret, or these versions of it; what is hidden or gone already stays as it is.

    Raises:
        NoSuchVersion: one of these there was not yet.
        SecretDeleted, SecretExpired, SecretDestroyed, AlreadyRead: of the secret; the message tells.
    """
    if not numbers:
        require(secret, at, State.LIVE, State.DELETED)
        return secret if secret.deleted_at is not None else replace(secret, deleted_at=at, deleted_by=by)

    def hidden(version: Version) -> Version:
        if of_version(version, at) is not State.LIVE:
            return version
        return replace(version, deleted_at=at, deleted_by=by)

    require(secret, at, State.LIVE)
    return _with_each(secret, numbers, hidden)


def undelete(secret: Secret, numbers: Collection[int], at: datetime) -> Secret:
    """Show the secret again, or these versions of it; a deletion that is yet to come is taken back too.

    Raises:
        NoSuchVersion: one of these there was not yet.
        SecretDeleted, SecretExpired, SecretDestroyed, AlreadyRead: it cannot be brought back; the
            message tells.
    """
    if not numbers:
        require(secret, at, State.LIVE, State.DELETED)
        return replace(secret, deleted_at=None, deleted_by=None)

    def shown(version: Version) -> Version:
        if (found := of_version(version, at)) in (State.EXPIRED, State.DESTROYED):
            raise version_gone(version, found)
        return replace(version, deleted_at=None, deleted_by=None)

    require(secret, at, State.LIVE)
    return _with_each(secret, numbers, shown)


def destroy(secret: Secret, numbers: Collection[int], at: datetime, by: str) -> Secret:
    """Take the values away for good, of the secret or of these versions; what is gone stays as it is.

    Raises:
        NoSuchVersion: one of these there was not yet.
        SecretExpired, SecretDestroyed, AlreadyRead: of the secret, where versions are named.
    """
    if numbers:
        require(secret, at, State.LIVE, State.DELETED)
        return _destroy_versions(secret, numbers, at, by)
    if secret.destroyed_at is not None:
        return secret
    secret = _destroy_versions(secret, [each.version for each in secret.versions], at, by)
    return replace(secret, path=None, former_path=secret.path, destroyed_at=at, destroyed_by=by)


def take_read(secret: Secret, at: datetime, by: str, client_ip: str) -> Secret:
    """Count one read of a secret whose reads are limited; the last one destroys it."""
    left = (secret.reads_left or 0) - 1
    read = replace(secret, reads_left=left, read_at=at, read_by=by, read_from=client_ip)
    return read if left > 0 else destroy(read, (), at, BY_READS)


def _destroy_versions(secret: Secret, numbers: Collection[int], at: datetime, by: str) -> Secret:
    def destroyed(version: Version) -> Version:
        if version.destroyed_at is not None:
            return version
        return replace(version, sealed=None, destroyed_at=at, destroyed_by=by)

    return _with_each(secret, numbers, destroyed)


def _with_each(secret: Secret, numbers: Collection[int], change: Callable[[Version], Version]) -> Secret:
    require_known(secret, numbers)
    versions = (change(each) if each.version in numbers else each for each in secret.versions)
    return replace(secret, versions=tuple(versions))
