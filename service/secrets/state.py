"""The state of a secret or a version at a point in time, and the error that describes it.

Nothing here depends on MongoDB's TTL monitor: a secret has expired even if its document still exists.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from ..errors import (
    AlreadyRead,
    NoSuchVersion,
    SecretDeleted,
    SecretDestroyed,
    SecretExpired,
    SecretNotFound,
)
from ..records import Secret, State, Version, ends_at

# What is stored as ``destroyed_by`` if the service destroyed it by rule.
BY_AGE, BY_EXPIRY, BY_READS = "max_versions", "expiry", "max_reads"


def of(secret: Secret, at: datetime) -> State:
    """Return the state of a secret at that time."""
    end = ends_at(secret)
    if secret.destroyed_at is not None:
        return State.DESTROYED
    if end is not None and end <= at:
        return State.EXPIRED
    return State.LIVE if secret.deleted_at is None else State.DELETED


def of_version(version: Version, at: datetime) -> State:
    """Return the state of a version at that time, regardless of its secret's."""
    if version.destroyed_at is not None:
        return State.DESTROYED
    if version.expires_at is not None and version.expires_at <= at:
        return State.EXPIRED
    return State.DELETED if version.deleted_at is not None and version.deleted_at <= at else State.LIVE


def require(secret: Secret, at: datetime, *states: State) -> None:
    """Check that the secret is in one of these states.

    Raises:
        SecretDeleted, SecretExpired, SecretDestroyed, AlreadyRead: it is in another; the message says
            which, since when, and who caused it.
    """
    current = of(secret, at)
    if current in states:
        return
    match current:
        case State.DESTROYED if secret.destroyed_by == BY_READS:
            raise AlreadyRead(
                f"it was already read at {_format(secret.read_at)}, from {secret.read_from}, by"
                f" {secret.read_by}, and has no reads left; if that was not you, treat its value as"
                " disclosed",
                _end("read", secret.read_at, secret.read_by, secret.read_from),
            )
        case State.DESTROYED:
            raise _destroyed("it", secret)
        case State.EXPIRED:
            raise _expired("it", ends_at(secret))
    raise _deleted("it", secret)


def readable(secret: Secret, number: int | None, at: datetime) -> Version:
    """Return version ``number``, or the current one if None, if it can be read.

    Raises:
        NoSuchVersion: that version has not existed yet.
        SecretDeleted, SecretExpired, SecretDestroyed, AlreadyRead: it cannot be read; the message says why.
    """
    require(secret, at, State.LIVE)
    number = secret.current if number is None else number
    require_known(secret, (number,))
    if number == 0:
        raise NoSuchVersion("it has no value yet")
    for version in secret.versions:
        if version.version == number:
            if (state := of_version(version, at)) is not State.LIVE:
                raise version_gone(version, state)
            return version
    raise SecretDestroyed(
        f"version {number} was destroyed; no details are kept of versions this old", _end("destroyed")
    )


def require_known(secret: Secret, numbers: Collection[int]) -> None:
    """Check that every one of these versions exists or once existed.

    Raises:
        NoSuchVersion: one has not existed yet.
    """
    if unknown := [number for number in numbers if number > secret.current]:
        raise NoSuchVersion(f"there is no version {max(unknown)} yet; the current one is {secret.current}")


def version_gone(version: Version, state: State) -> SecretNotFound:
    """Return the error that says why a version in this state cannot be read."""
    what = f"version {version.version}"
    match state:
        case State.DESTROYED:
            return _destroyed(what, version)
        case State.EXPIRED:
            return _expired(what, version.expires_at)
    return _deleted(what, version)


def _deleted(what: str, item: Secret | Version) -> SecretDeleted:
    by = item.deleted_by or "delete_version_after"
    return SecretDeleted(
        f"{what} was deleted at {_format(item.deleted_at)} by {by}; undelete restores it",
        _end("deleted", item.deleted_at, by),
    )


def _expired(what: str, at: datetime | None) -> SecretExpired:
    return SecretExpired(f"{what} expired at {_format(at)}", _end("expired", at))


def _destroyed(what: str, item: Secret | Version) -> SecretDestroyed:
    return SecretDestroyed(
        f"{what} was destroyed at {_format(item.destroyed_at)} by {item.destroyed_by}",
        _end("destroyed", item.destroyed_at, item.destroyed_by),
    )


def _end(
    state: str, at: datetime | None = None, by: str | None = None, client_ip: str | None = None
) -> dict[str, str]:
    """Return the end as ``SecretNotFound`` has it for programs."""
    known = {"state": state, "at": None if at is None else at.isoformat(), "by": by, "from": client_ip}
    return {name: value for name, value in known.items() if value is not None}


def _format(at: datetime | None) -> str:
    return "an unknown time" if at is None else at.isoformat()
