"""Frozen records that several packages exchange."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


def now() -> datetime:
    """Return the current time with the database's precision: in UTC, in whole milliseconds."""
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


class Status(StrEnum):
    """How an operation ended, in the audit log."""

    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request comes from; determined once, where it enters the service."""

    client_ip: str
    request_id: str


class Action(StrEnum):
    """What a scope allows; the first group applies to secrets, by their paths.

    ``AUDIT_PATHS`` is to search the audit log for records about paths.  Callers write ``audit:…`` for it; it
    is stored under a name of its own, which versions that know only the whole log do not take for that.
    """

    CREATE = "create"
    FETCH = "fetch"
    LIST = "list"
    UPDATE = "update"
    DELETE = "delete"
    DELIVER = "deliver"

    TOKEN = "token"  # noqa: S105  (an action's name)
    SHARE = "share"
    AUDIT = "audit"
    AUDIT_PATHS = "audit_paths"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Scope:
    """An action; for actions on paths also a pattern: a path, ``folder/*``, or ``*``."""

    action: Action
    pattern: str | None = None

    def __str__(self) -> str:
        """Return the scope as callers write it."""
        if self.action is Action.AUDIT_PATHS:
            return f"{Action.AUDIT}:{self.pattern}"
        return self.stored

    @property
    def stored(self) -> str:
        """The scope as records have it."""
        return self.action if self.pattern is None else f"{self.action}:{self.pattern}"


@dataclass(frozen=True, slots=True)
class AccessFilter:
    """The secrets that an operation may touch: all, or those at ``paths``, in ``folders`` and of ``owner``.

    A folder ends with its slash; the empty one contains every path.  ``owner`` is the id of the token that
    created a secret without a path.
    """

    everything: bool = False
    paths: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """A caller's credential, without the secret part that only its holder knows.

    ``lifetime`` is what each renewal gives, in seconds; None if the token cannot be renewed.
    ``rate_limit`` is in calls per minute; ``shared_limits`` are those of the tokens that it descends from,
    by id: its calls draw on these as well.  ``created_by`` is a token's id, ``operator``, ``anonymous`` or
    the actor of a role.  ``makers`` are the ids of the tokens that it descends from, its creator last; if one
    of them is from a login, also of the role and of the secret id.  None if it was created before these were
    kept.
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
    makers: tuple[str, ...] | None = None
    shared_limits: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class TokenEnd:
    """When a token expires."""

    token_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token as it is stored: with the hash of its secret part, and the tag that authenticates both."""

    token: Token
    digest: bytes
    tag: bytes


@dataclass(frozen=True, slots=True)
class Session:
    """A stand-in for a token, for a person at one address (``client_network``) and for a short time.

    Each renewal moves ``expires_at``, up to ``ends_at``.  ``confirmed_at`` is when the token itself was last
    shown, at first when the session was opened.
    """

    session_id: str
    token_id: str
    client_network: str
    created_at: datetime
    expires_at: datetime
    ends_at: datetime
    confirmed_at: datetime
    revoked_at: datetime | None = None
    revoked_by: str | None = None


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session as it is stored: with the hash of its secret part, and the tag that authenticates both."""

    session: Session
    digest: bytes
    tag: bytes


@dataclass(frozen=True, slots=True)
class Grant:
    """Permission for Swarm services to be given secrets: all of its conditions must hold.

    ``services`` and ``paths`` are names that may end in ``*`` (``grants.rules``).  If there are ``nodes``,
    the task runs on one with such an id; if there are ``images``, it has one of these, with digest.  A
    deleted grant is kept for some time, so that a restore does not bring it back.
    """

    grant_id: str
    services: tuple[str, ...]
    paths: tuple[str, ...]
    created_at: datetime
    created_by: str
    nodes: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    deleted_at: datetime | None = None
    deleted_by: str | None = None


@dataclass(frozen=True, slots=True)
class StoredGrant:
    """A grant as it is stored: with the tag that authenticates it."""

    grant: Grant
    tag: bytes


# What the names of roles begin with among the actors of the audit log and the creators of tokens.
ROLE_PREFIX = "approle:"


@dataclass(frozen=True, slots=True)
class AppRole:
    """A role that programs log in as, with its id and one of its secret ids, to get a token.

    ``scopes``, ``lifetime`` (in seconds), ``renewable``, ``max_uses`` and ``networks`` are those of its
    tokens; ``networks`` bind the login as well.  ``rate_limit`` is in calls per minute, of all its tokens
    together; ``makers`` and ``shared_limits`` are as a token's.  A deleted role is kept for some time, so
    that a restore does not bring it back.
    """

    role_id: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    created_by: str
    lifetime: int
    renewable: bool = False
    max_uses: int | None = None
    networks: tuple[str, ...] = ()
    rate_limit: int | None = None
    expires_at: datetime | None = None
    makers: tuple[str, ...] = ()
    shared_limits: tuple[tuple[str, int], ...] = ()
    deleted_at: datetime | None = None
    deleted_by: str | None = None

    @property
    def actor(self) -> str:
        """Its name in the audit log, and as the creator of its tokens."""
        return ROLE_PREFIX + self.role_id


@dataclass(frozen=True, slots=True)
class StoredAppRole:
    """A role as it is stored: with the tag that authenticates it."""

    role: AppRole
    tag: bytes


@dataclass(frozen=True, slots=True)
class SecretId:
    """What a program logs in with, beside its role's id, without the part that only its holder knows.

    The word is AppRole's; it has nothing to do with the id of a secret.  ``accessor`` is its public id.
    ``uses`` and ``used_at`` (the last one) are kept only if there is a ``max_uses``.  ``makers`` and
    ``shared_limits`` are as a token's; ``makers_end`` is when the token expires that created it, which tokens
    of its logins do not outlast.
    """

    accessor: str
    role_id: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    max_uses: int | None = None
    networks: tuple[str, ...] = ()
    uses: int = 0
    used_at: datetime | None = None
    makers: tuple[str, ...] = ()
    shared_limits: tuple[tuple[str, int], ...] = ()
    makers_end: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: str | None = None


@dataclass(frozen=True, slots=True)
class StoredSecretId:
    """A secret id as it is stored: with the hash of its secret part, and the tag that authenticates both."""

    secret_id: SecretId
    digest: bytes
    tag: bytes


# What whoever opens a share is called in the audit log, with its id; the owner of the secret in it as well.
SHARE_PREFIX = "share:"


@dataclass(frozen=True, slots=True)
class Share:
    """A link that reveals one secret once, without the part that only its holders know.

    ``recipient`` is who it is for, as the sender says; ``path`` is where the value was taken from, if it was.
    ``passphrase`` is salt and hash of one that is needed besides (``shares.passphrase``), and ``tries`` is
    how many were begun.  ``looked_at`` is when somebody last asked about it.  ``attempt`` is the SHA-256 of
    what the request sent that opened it.
    """

    share_id: str
    secret_id: str
    recipient: str
    created_at: datetime
    created_by: str
    expires_at: datetime
    path: str | None = None
    passphrase: bytes | None = None
    tries: int = 0
    looked_at: datetime | None = None
    looked_from: str | None = None
    opened_at: datetime | None = None
    opened_from: str | None = None
    attempt: bytes | None = None
    revoked_at: datetime | None = None
    revoked_by: str | None = None

    @property
    def actor(self) -> str:
        """Who opens it, in the audit log."""
        return SHARE_PREFIX + self.share_id


@dataclass(frozen=True, slots=True)
class StoredShare:
    """A share as it is stored: with the hash of its link's secret part, and the tag over both."""

    share: Share
    digest: bytes
    tag: bytes


@dataclass(frozen=True, slots=True)
class Principal:
    """The authenticated caller; ``actor`` is its name in the audit log.

    In a ``session`` these are of the token that it stands in for.
    """

    actor: str
    scopes: tuple[Scope, ...]
    token: Token | None = None
    session: Session | None = None


# Few records have these, and indexes of them have only those.
_ONLY_IF_SET = (
    *("new_path", "count", "grant_id", "role_id", "accessor"),
    *("version", "service", "service_id", "task_id", "node_id", "docker_secret", "api"),
)


# A new field of every audit record goes last and has a default: earlier records and backups lack it, and
# store.staging builds a record from the fields of a document in a backup.  It also touches:
# - setting it: Entry and Entry.finish in audit.recorder; records about the log itself in audit.chain,
# - authenticating it: automatic, because the MAC covers every stored field (so earlier records stay valid);
#   audit.chain encodes None, str, bool, int, bytes and datetime, and must learn any other type,
# - reading it: store.audit.read takes every field as text except timestamp, status, count and version,
# - searching for it: SearchRequest in api.audit.schemas, and an index in store.indexes,
# - showing it: RecordResponse in api.audit.schemas, the example _RECORD in api.audit.views, and
#   audit.export_ocsf (also used by export_syslog); the JSON of commands.audit includes it automatically,
# - tests: audit/test_recorder, store/test_audit, store/test_indexes, api/audit/test_views and
#   commands/test_audit,
# - documentation: docs/reference/audit-records.md, docs/contributing/audit-field.md, and CHANGELOG.md.
@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One operation.  ``timestamp`` is aware and in UTC; ``reason`` is set on failures only.

    ``new_path`` is where a secret was to be moved to.  ``count`` is set if a record stands for that many
    calls, refused past a rate limit: see ``audit.refusals``.  ``grant_id`` is the grant that an operation was
    about, or that a delivery was allowed by; ``version`` and the fields after it are set on deliveries to
    Swarm services, as the Swarm's manager named them.  ``api`` is ``v1`` if a client of Vault made the call.
    ``role_id`` and ``accessor`` are the AppRole and the secret id that an operation was about.

    ``actor`` is a token's id, ``approle:`` and the id of a role that logs in, ``share:`` and the id of a
    share whose link the caller has, ``anonymous``, ``operator``, ``service``, ``various``, or ``unproven:``
    followed by the id that an unauthenticated caller claimed.  ``token_id`` may also be the id of a session
    or of a share.
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
    new_path: str | None = None
    count: int | None = None
    grant_id: str | None = None
    version: int | None = None
    service: str | None = None
    service_id: str | None = None
    task_id: str | None = None
    node_id: str | None = None
    docker_secret: str | None = None
    api: str | None = None
    role_id: str | None = None
    accessor: str | None = None

    def fields(self) -> dict[str, Any]:
        """Return the fields as stored; many times faster than ``dataclasses.asdict``, for every record."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        for name in _ONLY_IF_SET:
            if fields[name] is None:
                del fields[name]
        return fields


@dataclass(frozen=True, slots=True)
class Envelope:
    """A sealed payload and its wrapped data key; both are opaque outside ``crypto``.

    ``payload`` is None if it was not read from the database.
    """

    payload: bytes | None
    data_key: bytes


@dataclass(frozen=True, slots=True)
class DrillResult:
    """The result of a restore drill: how many records the backup has, and how many cannot be opened.

    ``made_at`` is the point in time of the backup's data; None if it could not be read.
    """

    finished_at: datetime
    success: bool
    records: int
    failed: int
    made_at: datetime | None


class EncryptedItem(StrEnum):
    """What depends on a master key; a record of an earlier implementation does not name its key.

    The tags of sessions and shares count as those of tokens.
    """

    VERSION = "version"
    SECRET_TAG = "secret tag"  # noqa: S105  (a tag's name)
    TOKEN_TAG = "token tag"  # noqa: S105  (a tag's name)
    GRANT_TAG = "grant tag"
    APPROLE_TAG = "approle tag"
    AUDIT_KEY = "audit key"
    LEGACY = "legacy record"


@dataclass(frozen=True, slots=True)
class ByteRange:
    """All bytes of one length from ``lowest`` to ``highest``, both included."""

    lowest: bytes
    highest: bytes


@dataclass(frozen=True, slots=True)
class KeyRanges:
    """The ranges of the data keys that one master key wraps, and of the tags made under it.

    ``partial_tags`` are those of earlier versions, which cover a part of the record.
    """

    data_keys: ByteRange
    tags: ByteRange
    partial_tags: ByteRange
