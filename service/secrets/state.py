"""What a secret or a version is at some time, and how that is told.

Nothing here waits for MongoDB: what is over is over, whether its TTL monitor came by or not.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from ..errors import NoSuchVersion, SecretDestroyed
from ..records import Secret, State, Version
from . import telling

# What was deleted can be brought back for so long, and what was destroyed is told of for so long.
KEPT = timedelta(days=30)

# Who destroys where nobody asked for it.
BY_AGE, BY_EXPIRY, BY_READS = "max_versions", "expiry", "max_reads"


def ends_at(secret: Secret) -> datetime | None:
    """Return when the document goes; until then it can be brought back or is told of."""
    if secret.destroyed_at is not None:
        return secret.destroyed_at + KEPT
    ends = []
    if secret.expires_at is not None:
        ends.append(secret.expires_at)
    if secret.deleted_at is not None:
        ends.append(secret.deleted_at + KEPT)
    expiries = [version.expires_at for version in secret.versions if version.destroyed_at is None]
    known = [expiry for expiry in expiries if expiry is not None]
    if known and len(known) == len(expiries):
        ends.append(max(known))
    return min(ends, default=None)


def of(secret: Secret, at: datetime) -> State:
    """Return what a secret is at that time, whatever the database has removed by then."""
    end = ends_at(secret)
    if secret.destroyed_at is not None:
        return State.DESTROYED
    if end is not None and end <= at:
        return State.EXPIRED
    return State.LIVE if secret.deleted_at is None else State.DELETED


def of_version(version: Version, at: datetime) -> State:
    """Return what a version is at that time, by itself."""
    if version.destroyed_at is not None:
        return State.DESTROYED
    if version.expires_at is not None and version.expires_at <= at:
        return State.EXPIRED
    return State.DELETED if version.deleted_at is not None and version.deleted_at <= at else State.LIVE


def require(secret: Secret, at: datetime, *states: State) -> None:
    """Return where the secret is in one of these states.

    Raises:
        SecretDeleted, SecretExpired, SecretDestroyed, AlreadyRead: it is in another; the message tells.
    """
    found = of(secret, at)
    if found in states:
        return
    match found:
        case State.DESTROYED if secret.destroyed_by == BY_READS:
            raise telling.already_read(secret)
        case State.DESTROYED:
            raise telling.destroyed("it", secret)
        case State.EXPIRED:
            raise telling.expired("it", ends_at(secret))
    raise telling.deleted("it", secret)


def readable(secret: Secret, number: int | None, at: datetime) -> Version:
    """Return the version to open: the one asked for, or the current one.

    Raises:
        NoSuchVersion: there was none of this number yet.
        SecretDeleted, SecretExpired, SecretDestroyed, AlreadyRead: it cannot be had; the message tells.
    """
    require(secret, at, State.LIVE)
    number = secret.current if number is None else number
    require_known(secret, (number,))
    for version in secret.versions:
        if version.version == number:
            if (found := of_version(version, at)) is not State.LIVE:
                raise telling.version_gone(version, found)
            return version
    raise SecretDestroyed(f"version {number} was destroyed, too long ago to say more")


def require_known(secret: Secret, numbers: Collection[int]) -> None:
    """Return where there have been versions of all these numbers.

    Raises:
        NoSuchVersion: there have not.
    """
    if unknown := [number for number in numbers if number > secret.current]:
        raise NoSuchVersion(f"there is no version {max(unknown)} yet; the current one is {secret.current}")
