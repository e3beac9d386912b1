"""A secret and its versions as they are stored, all frozen; ``secrets.lifecycle`` has their rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from .models import Envelope

MAX_VERSIONS = 10
# The max_versions of a secret that takes its folder's, or else MAX_VERSIONS.
INHERIT = 0
# How long a deleted secret can be restored, and how long a 404 explains that one was destroyed.
RETENTION = timedelta(days=30)


class State(StrEnum):
    """The state of a secret or a version at some time; only a live one can be read."""

    LIVE = "live"
    DELETED = "deleted"
    EXPIRED = "expired"
    DESTROYED = "destroyed"


@dataclass(frozen=True, slots=True)
class LegacyValue:
    """A value of an earlier implementation: nonce ‖ ciphertext ‖ tag under the master key, without AAD."""

    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class Version:
    """One value of a secret.  ``version`` counts from 1.

    ``sealed`` is None if the value was destroyed.  ``created_at`` is None if an earlier implementation did
    not write it.  ``deleted_at`` may be in the future: the version
    is deleted automatically at that time, and can be restored.
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
    """A secret with the versions that were requested, the oldest first.

    It has a ``path``, or an ``owner`` (the token that created it), or neither (created without
    authentication).  A destroyed one has its path in ``former_path``, so that the path is free again.
    ``current`` is the highest version number ever given; 0 if the secret has no value yet.  ``labels`` are
    sorted pairs.  ``delete_version_after`` is in seconds.  ``secrets.defaults`` tells what applies.

    ``tag`` authenticates everything else (``crypto.tags``); None before it is signed, and in documents of
    earlier versions without a path and an owner.

    ``reads_left`` and ``max_reads`` are None if reads are not limited; if they are, ``read_at``,
    ``read_from`` and ``read_by`` describe the last read.  ``revision`` counts changes, so that no change
    overwrites another; None in documents written before changes were counted.
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
class Defaults:
    """Options for all secrets in a folder; ``delete_version_after`` is in seconds."""

    max_versions: int = INHERIT
    cas_required: bool = False
    delete_version_after: int | None = None


@dataclass(frozen=True, slots=True)
class FetchedSecret:
    """A value in plaintext, on its way to the caller; it can be fetched until ``expires_at``.

    ``labels`` are the secret's, as sorted pairs.
    """

    secret_id: str
    version: int
    plaintext: bytes = field(repr=False)
    created_at: datetime | None
    path: str | None
    expires_at: datetime | None
    reads_left: int | None
    labels: tuple[tuple[str, str], ...]


def ends_at(secret: Secret) -> datetime | None:
    """Return when the secret's document is removed; None if it has no end."""
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


def readable_until(secret: Secret, version: Version) -> datetime | None:
    """Return when a version that can be read no longer can be; None if it has no end."""
    ends = (ends_at(secret), version.expires_at, version.deleted_at)
    return min((end for end in ends if end is not None), default=None)
