"""A secret and its versions as they are stored, all frozen; ``secrets.lifecycle`` says how they change."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from .models import Envelope

MAX_VERSIONS = 10
# How long a deleted secret can be restored, and how long callers are told that one was destroyed.
RETENTION = timedelta(days=30)


class State(StrEnum):
    """What a secret or a version is at some time; only a live one has a value to give."""

    LIVE = "live"
    DELETED = "deleted"
    EXPIRED = "expired"
    DESTROYED = "destroyed"


@dataclass(frozen=True, slots=True)
class LegacyValue:
    """A value of an earlier implementation: nonce ‖ ciphertext ‖ tag under the master key, no context."""

    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class Version:
    """One value of a secret.  ``version`` counts from 1.

    ``sealed`` is None where the value was destroyed, or left in the database because nobody asked for
    it.  ``created_at`` is None where an earlier implementation did not write one.  ``deleted_at`` may
    lie in the future: then it ends by itself, and can be brought back.
    """

    version: int
    created_at: datetime | None
    sealed: Envelope | LegacyValue | None = None
    created_by: str | None = None
    expires_at: datetime | None = None
    deleted_at: datetime | None = None
    deleted_by: str | None = None
    destroyed_at: datetime | None = None
    destroyed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret with those of its versions that were asked for, the oldest first.

    It has a ``path``, or the ``owner`` that made it, or neither (made while nobody had to say who they
    are); one that was destroyed had its path under ``former_path``, so that the path is free again.
    ``tag`` authenticates these; None where there are none.  ``current`` is the highest number that a
    version ever had.  ``labels`` are sorted pairs.  ``delete_version_after`` is in seconds.

    ``reads_left`` and ``max_reads`` are None where reads are not limited; where they are, ``read_at``,
    ``read_from`` and ``read_by`` tell of the last read.  ``revision`` counts the changes, so that none
    overwrites another; None where nobody has counted yet.
    """

    secret_id: str
    current: int
    versions: tuple[Version, ...]
    created_at: datetime | None
    created_by: str | None = None
    updated_at: datetime | None = None
    path: str | None = None
    former_path: str | None = None
    owner: str | None = None
    tag: bytes | None = None
    labels: tuple[tuple[str, str], ...] = ()
    max_versions: int = MAX_VERSIONS
    cas_required: bool = False
    delete_version_after: int | None = None
    expires_at: datetime | None = None
    deleted_at: datetime | None = None
    deleted_by: str | None = None
    destroyed_at: datetime | None = None
    destroyed_by: str | None = None
    max_reads: int | None = None
    reads_left: int | None = None
    read_at: datetime | None = None
    read_from: str | None = None
    read_by: str | None = None
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A secret without its values, and the wrapped data key of each of its versions, in their order.

    It is None where the version was destroyed.
    """

    secret: Secret
    data_keys: tuple[bytes | None, ...]


@dataclass(frozen=True, slots=True)
class FetchedSecret:
    """A value in the clear, on its way to the caller; ``expires_at`` is when it can be had no longer."""

    secret_id: str
    version: int
    plaintext: bytes = field(repr=False)
    created_at: datetime | None
    path: str | None
    expires_at: datetime | None
    reads_left: int | None


def ends_at(secret: Secret) -> datetime | None:
    """Return when the secret's document is removed; None if nothing ends it."""
    if secret.destroyed_at is not None:
        return secret.destroyed_at + RETENTION
    ends = []
    if secret.expires_at is not None:
        ends.append(secret.expires_at)
    if secret.deleted_at is not None:
        ends.append(secret.deleted_at + RETENTION)
    expiries = [version.expires_at for version in secret.versions if version.destroyed_at is None]
    known = [expiry for expiry in expiries if expiry is not None]
    if known and len(known) == len(expiries):
        ends.append(max(known))
    return min(ends, default=None)
