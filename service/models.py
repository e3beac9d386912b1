"""The records that cross the borders between packages, all frozen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


def now() -> datetime:
    """Return the present as the database keeps it: in UTC, in whole milliseconds."""
    present = datetime.now(UTC)
    return present.replace(microsecond=present.microsecond // 1000 * 1000)


class Status(StrEnum):
    """How an operation ended, as the audit log says it."""

    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request comes from: taken from it at the border, never again later."""

    client_ip: str
    request_id: str


class Action(StrEnum):
    """What a scope allows; the first group on secrets, by their paths."""

    CREATE = "create"
    FETCH = "fetch"
    LIST = "list"
    UPDATE = "update"
    DELETE = "delete"

    TOKEN = "token"  # noqa: S105  (an action's name)
    AUDIT = "audit"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Scope:
    """An action, and for those on secrets the paths: one path, ``folder/*``, or ``*``."""

    action: Action
    pattern: str | None = None

    def __str__(self) -> str:
        """Return it as it is written."""
        return self.action if self.pattern is None else f"{self.action}:{self.pattern}"


@dataclass(frozen=True, slots=True)
class AccessFilter:
    """Which secrets an operation may touch: all, or those at ``paths``, below ``folders``, and the owner's.

    A folder ends with its slash; the empty one holds every path.  A secret with no path belongs to
    the token that made it, the ``owner``.
    """

    everything: bool = False
    paths: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """A caller's credential, without the random part that only its holder knows.

    ``lifetime`` is in seconds: what each renewal gives, None where the token cannot be renewed.
    ``rate_limit`` is in requests per minute.  ``created_by`` is a token's id, ``operator`` or
    ``anonymous``.
    """

    token_id: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    lifetime: int | None = None
    max_uses: int | None = None
    networks: tuple[str, ...] = ()
    rate_limit: int | None = None
    uses: int = 0
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token as it is stored: with the hash of its random part, and the tag that authenticates both."""

    token: Token
    digest: bytes
    tag: bytes


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, once that is proven: ``actor`` is what the audit log calls them."""

    actor: str
    scopes: tuple[Scope, ...]
    token: Token | None = None


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One operation. ``timestamp`` is aware and in UTC; ``reason`` is set on failures only.

    ``actor`` is a token's id, ``anonymous``, ``operator``, or ``unproven:`` and the id that was claimed.
    """

    timestamp: datetime
    operation: str
    secret_id: str | None
    client_ip: str
    status: Status
    actor: str
    request_id: str
    reason: str | None
    path: str | None = None
    token_id: str | None = None

    def fields(self) -> dict[str, Any]:
        """Return all of it by name; ``dataclasses.asdict`` takes many times as long, for every record."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Envelope:
    """A sealed payload and the wrapped data key that opens it; both opaque outside ``crypto``."""

    payload: bytes
    data_key: bytes


@dataclass(frozen=True, slots=True)
class DrillResult:
    """What came of bringing a backup back for trial: how many records, and how many of them do not open.

    ``made_at`` is the point in time that the backup shows; None where that could not be read.
    """

    finished_at: datetime
    success: bool
    records: int
    failed: int
    made_at: datetime | None


class EncryptedItem(StrEnum):
    """What is under a master key; a record of an earlier implementation does not say under which."""

    VERSION = "version"
    SECRET_TAG = "secret tag"  # noqa: S105  (a tag's name)
    TOKEN_TAG = "token tag"  # noqa: S105  (a tag's name)
    AUDIT_KEY = "audit key"
    LEGACY = "legacy record"


@dataclass(frozen=True, slots=True)
class ByteRange:
    """All bytes of one length from ``lowest`` to ``highest``, both included."""

    lowest: bytes
    highest: bytes


@dataclass(frozen=True, slots=True)
class KeyRanges:
    """Where the data keys lie that one master key wraps, and the tags that are made under it."""

    data_keys: ByteRange
    tags: ByteRange
