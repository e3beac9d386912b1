"""What became of a secret or a version, in words, for those who may know it."""

from __future__ import annotations

from datetime import datetime

from ..errors import AlreadyRead, SecretDeleted, SecretDestroyed, SecretExpired, SecretNotFound
from ..records import Secret, State, Version


def deleted(what: str, one: Secret | Version) -> SecretNotFound:
    """Return the error that says when it was deleted, and by whom."""
    by = "by itself" if one.deleted_by is None else f"by {one.deleted_by}"
    return SecretDeleted(f"{what} was deleted at {_moment(one.deleted_at)} {by}; undelete brings it back")


def expired(what: str, at: datetime | None) -> SecretNotFound:
    """Return the error that says since when it is over."""
    return SecretExpired(f"{what} expired at {_moment(at)}")


def destroyed(what: str, one: Secret | Version) -> SecretNotFound:
    """Return the error that says when it was destroyed, and by whom."""
    return SecretDestroyed(f"{what} was destroyed at {_moment(one.destroyed_at)} by {one.destroyed_by}")


def already_read(secret: Secret) -> SecretNotFound:
    """Return the error that says when it was read for the last time, from where and by whom."""
    return AlreadyRead(
        f"it was already read at {_moment(secret.read_at)}, from {secret.read_from}, by {secret.read_by},"
        " as often as it could be; if that was not you or yours, treat its value as known to others"
    )


def version_gone(version: Version, state: State) -> SecretNotFound:
    """Return the error that says why this version cannot be had."""
    what = f"version {version.version}"
    match state:
        case State.DESTROYED:
            return destroyed(what, version)
        case State.EXPIRED:
            return expired(what, version.expires_at)
    return deleted(what, version)


def _moment(at: datetime | None) -> str:
    return "an unknown time" if at is None else at.isoformat()
