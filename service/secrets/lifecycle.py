"""The rules of a secret's life: what each change makes of it.

Pure functions from a secret to the next one.  They are given the time and who acts, and know of no
database: who calls them keeps the result only where nobody else has changed the secret meanwhile
(``changing``), and otherwise asks again.

Numbers go on counting through deletes and destructions, so that none ever means two values.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ..access import token_format
from ..errors import InvalidFields, VersionConflict
from ..models import Envelope
from ..records import Secret, State, Version
from . import telling
from .options import Settings, moment
from .state import BY_AGE, BY_EXPIRY, BY_READS, of_version, readable, require, require_known

# Versions that are remembered, destroyed ones included; of older ones it is only known that there were.
_MOST_ENTRIES = 100
_TAKEN_AS_THEY_ARE = {"max_reads", "max_versions", "cas_required", "delete_version_after"}


def expect(secret: Secret, expected: int | None) -> None:
    """Return where the current version is the expected one, or none is expected.

    Raises:
        VersionConflict: it is another.
    """
    if expected is not None and expected != secret.current:
        raise VersionConflict(secret.current)


def configure(secret: Secret, settings: Settings, at: datetime) -> Secret:
    """Give a secret those settings that are there; the others stay as they are.

    Raises:
        InvalidFields: a moment is none to come, or there is a token in a label.
    """
    fields: dict[str, Any] = {name: value for name, value in settings.items() if name in _TAKEN_AS_THEY_ARE}
    if "labels" in settings:
        fields["labels"] = _labels(settings["labels"])
    if "expires_at" in settings:
        fields["expires_at"] = moment(settings, "expires_at", at)
    if "max_reads" in settings:
        fields["reads_left"] = settings["max_reads"]
    return replace(secret, **fields)


def extend(secret: Secret, settings: Settings, at: datetime) -> Secret:
    """Give the current version another end, or none.

    Raises:
        InvalidFields: it is none to come.
        SecretDeleted, SecretExpired, SecretDestroyed: it has none to give any more; the message tells.
    """
    current = readable(secret, None, at).version
    end = moment(settings, "version_expires_at", at)
    return _with_each(secret, (current,), lambda version: replace(version, expires_at=end))


def add(secret: Secret, sealed: Envelope, settings: Settings, at: datetime, by: str) -> Secret:
    """Give a secret another value.

    Raises:
        InvalidFields: the end of its version is none to come.
    """
    after = secret.delete_version_after
    version = Version(
        version=secret.current + 1,
        created_at=at,
        sealed=sealed,
        created_by=by,
        expires_at=moment(settings, "version_expires_at", at),
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
    forgotten = surplus[: max(0, len(secret.versions) - _MOST_ENTRIES)]
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
            raise telling.version_gone(version, found)
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


def _labels(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    if any(token_format.is_within(text) for pair in labels.items() for text in pair):
        raise InvalidFields({"labels": ["labels are no secrets, so they are no place for a token"]})
    return tuple(sorted(labels.items()))


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
