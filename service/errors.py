"""Every error of the domain; independent of HTTP, MongoDB and cryptography.

::

    VaultError
    ├── ConfigurationError        the process must not start with this configuration
    ├── InputRefused              the caller's input is invalid
    │   ├── NotJson
    │   ├── EncodedBody           compressed
    │   ├── MalformedJson
    │   ├── InvalidFields
    │   │   └── ExpectedVersionRequired
    │   ├── InvalidBase64
    │   ├── TooLarge
    │   ├── UnexpectedHost
    │   └── ImportFormatError     the file is in no format that can be imported
    ├── Unauthenticated           the caller is not authenticated
    │   ├── NoToken
    │   ├── MalformedToken        a typing error, not a guess
    │   ├── InvalidToken
    │   │   ├── TokenExpired
    │   │   ├── TokenRevoked
    │   │   ├── TokenUsedUp
    │   │   ├── SessionEnded
    │   │   └── AddressNotAllowed
    │   └── InvalidLogin          one message for every login that fails; only the audit log has the reason
    │       ├── RoleEnded
    │       ├── SecretIdEnded
    │       ├── SecretIdUsedUp
    │       └── LoginAddressNotAllowed
    ├── Forbidden                 authenticated, but lacks the scope
    │   ├── ConfirmationRequired  the session was opened too long ago for this
    │   └── WrongPassphrase       of a share
    ├── TooManyRequests
    ├── SecretNotFound
    │   ├── SecretHidden          it exists, but outside the caller's scopes; same message as SecretNotFound
    │   ├── NoSuchVersion         this and the following: only for callers whose scopes cover the secret
    │   ├── SecretDeleted
    │   ├── SecretExpired
    │   ├── LimitedReads          it cannot be delivered to Swarm services
    │   └── SecretDestroyed
    │       └── AlreadyRead       no reads are left
    ├── NotGranted                no grant lets the Swarm service have the secret, if there is one
    ├── TokenNotFound
    ├── SessionNotFound
    ├── ShareNotFound
    │   ├── ShareOpened           this and the following: only for holders of its link
    │   └── ShareEnded            it has expired, was taken back, or its passphrase was guessed at
    ├── TooManyShares
    ├── GrantNotFound
    ├── RoleNotFound
    ├── SecretIdNotFound
    ├── RoleNameTaken
    ├── PathTaken
    ├── SecretInUse
    ├── VersionConflict
    ├── BatchFailed               one item of a batch failed, so nothing was done
    ├── CannotDecrypt             what is stored cannot be decrypted or verified
    │   ├── Tampered
    │   └── UnknownKey
    └── Unavailable               temporary: the same call may succeed later
        ├── StoreUnavailable
        ├── AuditUnavailable
        ├── KeyRingMismatch
        └── RestoreUnfinished

``reason`` is a fixed phrase that goes into audit records and metrics: changing one changes the data, so it
may differ from the name of its class.  It never contains a value.  The message is for the caller or the
operator, and never contains a secret, a key or a token.

``kind`` names the error for programs: it is the ``type`` of problem documents
(docs/reference/problems.md).  It must not change, even if the class is renamed, and must not reveal more to
a caller than the message does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class VaultError(Exception):
    """Base class of every error that the service raises on purpose."""

    reason: ClassVar[str] = "internal error"
    kind: ClassVar[str] = "internal-error"


class ConfigurationError(VaultError):
    """The configuration or the environment is invalid; the message says what to do."""

    reason = "start refused"
    kind = "start-refused"


class InputRefused(VaultError):
    """The caller's input is invalid."""

    reason = "input refused"
    kind = "input-refused"


class NotJson(InputRefused):
    """The request's content type is not JSON."""

    reason = "not json"
    kind = "not-json"


class EncodedBody(InputRefused):
    """The request's body has a content coding, such as gzip."""

    reason = "encoded body"
    kind = "encoded-body"

    def __init__(self) -> None:
        super().__init__(
            "send the body as it is, without the header Content-Encoding: none is decoded, not even gzip"
        )


class MalformedJson(InputRefused):
    """The body is not a JSON document."""

    reason = "malformed json"
    kind = "malformed-json"


class InvalidFields(InputRefused):
    """The body does not fit the schema; ``errors`` maps each invalid field to its messages."""

    reason = "invalid fields"
    kind = "invalid-fields"

    def __init__(self, errors: Mapping[str, Any]) -> None:
        super().__init__("the request does not fit the schema; see errors")
        self.errors = errors


class ExpectedVersionRequired(InvalidFields):
    """The secret takes a value only together with the version that the caller expects."""

    def __init__(self) -> None:
        super().__init__({"expected_version": ["required: this secret has cas_required set"]})


class InvalidBase64(InputRefused):
    """The value is not base64 as in RFC 4648 section 4."""

    reason = "invalid base64"
    kind = "invalid-base64"


class TooLarge(InputRefused):
    """The request, or the secret in it, exceeds the size limit."""

    reason = "too large"
    kind = "too-large"


class UnexpectedHost(InputRefused):
    """The request is for a name that is not known to be this service's."""

    reason = "unexpected host"
    kind = "unexpected-host"

    def __init__(self, names: str = "addresses, localhost and names without a dot") -> None:
        super().__init__(
            f"without authentication the service answers only to {names}:"
            " call it by one of these, or add the name to ALLOWED_HOSTS"
        )


class ImportFormatError(InputRefused):
    """The file is in no format that can be imported; nothing was imported."""

    reason = "not importable"
    kind = "not-importable"


class Unauthenticated(VaultError):
    """The request does not authenticate its caller."""

    reason = "unauthenticated"
    kind = "unauthenticated"


class NoToken(Unauthenticated):
    """The request has no token."""

    reason = "no token"
    kind = "no-token"

    def __init__(self) -> None:
        super().__init__("send a token, with the header Authorization: Bearer <token>")


class MalformedToken(Unauthenticated):
    """The text does not have the form of a token, or its checksum is wrong."""

    reason = "malformed token"
    kind = "malformed-token"

    def __init__(self) -> None:
        super().__init__("malformed token: it was cut short or mistyped, or is not a token")


class InvalidToken(Unauthenticated):
    """The token is not valid; the message does not reveal whether its id exists.

    The subclasses say why, for callers who sent the token's secret part.
    """

    reason = "invalid token"
    kind = "invalid-token"

    def __init__(self, message: str = "the token is not valid") -> None:
        super().__init__(message)


class TokenExpired(InvalidToken):
    """The token has expired."""

    reason = "token expired"
    kind = "token-expired"

    def __init__(self) -> None:
        super().__init__("the token has expired: ask its issuer for a new one")


class TokenRevoked(InvalidToken):
    """The token was revoked."""

    reason = "token revoked"
    kind = "token-revoked"

    def __init__(self) -> None:
        super().__init__("the token was revoked: ask its issuer for a new one")


class TokenUsedUp(InvalidToken):
    """The token has no uses left, or fewer than the batch has values."""

    reason = "token used up"
    kind = "token-used-up"

    def __init__(self, uses: int = 1) -> None:
        if uses == 1:
            super().__init__("the token has no uses left: ask its issuer for a new one")
        else:
            super().__init__(
                f"the token has fewer than {uses} uses left, one for each value of the batch:"
                " send a smaller one"
            )


class SessionEnded(InvalidToken):
    """The session was revoked, or not renewed in time, or has reached its end."""

    reason = "session ended"
    kind = "session-ended"

    def __init__(self) -> None:
        super().__init__("the session has ended: create another one with your token")


class AddressNotAllowed(InvalidToken):
    """The token, or the session, may not be used from the caller's address."""

    reason = "foreign address"
    kind = "address-not-allowed"

    def __init__(
        self, message: str = "the token may not be used from this address: it is not in the token's networks"
    ) -> None:
        super().__init__(message)


class InvalidLogin(Unauthenticated):
    """These do not log in; the message does not reveal whether there is such a role or such a secret id.

    The subclasses say why, in the audit log alone.
    """

    reason = "invalid login"
    kind = "invalid-login"

    def __init__(self) -> None:
        super().__init__("invalid role or secret ID")


class RoleEnded(InvalidLogin):
    """The secret id is right, but its role was deleted or has expired."""

    reason = "role ended"


class SecretIdEnded(InvalidLogin):
    """The secret id is right, but it was revoked or has expired."""

    reason = "secret id ended"


class SecretIdUsedUp(InvalidLogin):
    """The secret id is right, but it has no uses left."""

    reason = "secret id used up"


class LoginAddressNotAllowed(InvalidLogin):
    """The secret id is right, but may not be used from the caller's address."""

    reason = "foreign address"


class Forbidden(VaultError):
    """The caller's scopes do not allow the operation."""

    reason = "forbidden"
    kind = "forbidden"


class ConfirmationRequired(Forbidden):
    """What outlives a session takes one in which the token was shown a moment ago."""

    reason = "confirmation required"
    kind = "confirmation-required"

    def __init__(self) -> None:
        super().__init__("this takes your token once more: send it to /vault/session/confirm, then try again")


class WrongPassphrase(Forbidden):
    """The passphrase is not that of the share; ``tries_left`` others may be tried."""

    reason = "wrong passphrase"
    kind = "wrong-passphrase"

    def __init__(self, tries_left: int) -> None:
        super().__init__(
            f"wrong passphrase: {tries_left} more can be tried"
            if tries_left
            else "wrong passphrase: this was the last that could be tried; ask the sender for another link"
        )
        self.tries_left = tries_left


class TooManyRequests(VaultError):
    """The caller must wait; ``retry_after`` is in seconds.

    ``tallied`` if one audit record stands for all that the caller is refused in this minute.
    """

    reason = "too many requests"
    kind = "too-many-requests"

    def __init__(self, message: str, retry_after: int, *, tallied: bool = False) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.tallied = tallied


class SecretNotFound(VaultError):
    """There is no such secret, or none for this caller.

    ``detail`` says what happened to it, for callers whose scopes cover the secret, and ``end`` says the same
    to programs: ``state``, ``at`` (ISO 8601), ``by`` and ``from``, as far as they are known.
    """

    reason = "not found"
    kind = "secret-not-found"

    def __init__(self, detail: str | None = None, end: Mapping[str, str] | None = None) -> None:
        super().__init__("Secret not found" if detail is None else f"Secret not found: {detail}")
        self.end = end or {}


class SecretHidden(SecretNotFound):
    """The secret exists, but outside the caller's scopes; only the audit log shows the difference."""

    reason = "forbidden"
    # It keeps the kind of SecretNotFound: the caller must not be able to distinguish the two.


class NoSuchVersion(SecretNotFound):
    """The secret has no version with this number yet."""

    reason = "no such version"
    kind = "no-such-version"


class SecretDeleted(SecretNotFound):
    """The secret, or this version of it, was deleted, and can be restored."""

    reason = "deleted"
    kind = "secret-deleted"


class SecretExpired(SecretNotFound):
    """The secret, or this version of it, has expired."""

    reason = "expired"
    kind = "secret-expired"


class LimitedReads(SecretNotFound):
    """The secret has limited reads, and a delivery cannot count them; none is used up."""

    reason = "limited reads"
    kind = "limited-reads"

    def __init__(self) -> None:
        super().__init__(
            "it has max_reads, and the Swarm asks for a value again and again: only fetch reads such a secret"
        )


class SecretDestroyed(SecretNotFound):
    """The secret, or this version of it, was destroyed, and cannot be restored."""

    reason = "destroyed"
    kind = "secret-destroyed"


class AlreadyRead(SecretDestroyed):
    """The secret has no reads left; the message says when and from where it was last read."""

    reason = "already read"
    kind = "secret-already-read"


class NotGranted(VaultError):
    """No grant lets this Swarm service have the secret at this path, whether there is one or not."""

    reason = "not granted"
    kind = "not-granted"

    def __init__(self, service: str, path: str) -> None:
        super().__init__(f"not allowed: service {service} may not have path {path}")


class TokenNotFound(VaultError):
    """There is no such token, or none for this caller."""

    reason = "not found"
    kind = "token-not-found"

    def __init__(self) -> None:
        super().__init__("Token not found")


class SessionNotFound(VaultError):
    """There is no such session, or none for this caller."""

    reason = "not found"
    kind = "session-not-found"

    def __init__(self) -> None:
        super().__init__("Session not found")


class ShareNotFound(VaultError):
    """There is no such share, or none for this caller; the message reveals nothing else."""

    reason = "not found"
    kind = "share-not-found"

    def __init__(self, message: str = "Share not found") -> None:
        super().__init__(message)


class ShareOpened(ShareNotFound):
    """The share was opened; ``same_attempt`` if by this very request, whose answer was lost on its way."""

    reason = "already opened"
    kind = "share-opened"

    def __init__(self, at: str, client_ip: str, *, same_attempt: bool) -> None:
        super().__init__(
            "the answer to this request was lost on its way, and the share is used up: ask for another"
            if same_attempt
            else f"it was already opened at {at}, from {client_ip}; if that was not you, tell the sender"
        )
        self.at, self.client_ip, self.same_attempt = at, client_ip, same_attempt


class ShareEnded(ShareNotFound):
    """The share ended without being opened."""

    reason = "share ended"
    kind = "share-ended"

    def __init__(self) -> None:
        super().__init__("it has expired or was taken back: ask the sender for another link")


class TooManyShares(VaultError):
    """The caller has as many open shares as a token may have."""

    reason = "too many shares"
    kind = "too-many-shares"

    def __init__(self, limit: int) -> None:
        super().__init__(f"your token has {limit} open shares: revoke some, or wait until they are opened")


class GrantNotFound(VaultError):
    """There is no such grant."""

    reason = "not found"
    kind = "grant-not-found"

    def __init__(self) -> None:
        super().__init__("Grant not found")


class RoleNotFound(VaultError):
    """There is no such AppRole, or none for this caller."""

    reason = "not found"
    kind = "approle-not-found"

    def __init__(self) -> None:
        super().__init__("AppRole not found")


class SecretIdNotFound(VaultError):
    """There is no secret id with this accessor, or none for this caller."""

    reason = "not found"
    kind = "secret-id-not-found"

    def __init__(self) -> None:
        super().__init__("Secret id not found")


class RoleNameTaken(VaultError):
    """Another AppRole has this name."""

    reason = "name taken"
    kind = "approle-name-taken"

    def __init__(self) -> None:
        super().__init__("another AppRole has this name: choose another, or delete that one")


class PathTaken(VaultError):
    """Another secret has this path."""

    reason = "path taken"
    kind = "path-taken"

    def __init__(self) -> None:
        super().__init__("another secret has this path: choose another")


class SecretInUse(VaultError):
    """Swarm services are known to use what was to be destroyed; ``uses`` are phrases that name them."""

    reason = "in use"
    kind = "secret-in-use"

    def __init__(self, uses: Sequence[str]) -> None:
        more = f" and {len(uses) - 1} more" if len(uses) > 1 else ""
        super().__init__(f"in use: {uses[0]}{more} (describe shows all); to destroy it, send in_use: true")


class VersionConflict(VaultError):
    """The secret is not at the version that the caller expected, but at ``current_version``."""

    reason = "version conflict"
    kind = "version-conflict"

    def __init__(self, current_version: int) -> None:
        super().__init__(
            f"the secret is at version {current_version}: fetch it, then retry with"
            f" expected_version {current_version}"
        )
        self.current_version = current_version


class BatchFailed(VaultError):
    """Nothing in a batch was done, because item ``index``, counted from 0, failed with ``cause``."""

    reason = "another one of the batch failed"
    kind = "batch-failed"

    def __init__(self, index: int, cause: VaultError) -> None:
        super().__init__(f"secrets[{index}]: {cause}; nothing in the batch was done")
        self.index = index
        self.cause = cause


class CannotDecrypt(VaultError):
    """What is stored cannot be decrypted or verified; no part of it is returned."""

    reason = "unopenable"
    kind = "cannot-decrypt"


class Tampered(CannotDecrypt):
    """The bytes, the context or the key differ from when it was sealed."""

    reason = "tampered"
    kind = "record-tampered"


class UnknownKey(CannotDecrypt):
    """The key ring has no master key with the key id under which the record was sealed."""

    reason = "unknown key"
    kind = "unknown-key"


class Unavailable(VaultError):
    """The service cannot do this now; the same call may succeed later."""

    reason = "unavailable"
    kind = "unavailable"


class StoreUnavailable(Unavailable):
    """The database did not answer in time, or rejected the operation."""

    reason = "store unavailable"
    kind = "database-unavailable"


class AuditUnavailable(Unavailable):
    """The audit record could not be made durable, so the answer must not be sent."""

    reason = "audit unavailable"
    kind = "audit-unavailable"


class KeyRingMismatch(Unavailable):
    """The key ring could not be shown to decrypt what the database holds."""

    reason = "key ring unproven"
    kind = "key-ring-mismatch"


class RestoreUnfinished(Unavailable):
    """A restore is running or was interrupted, so the data is incomplete."""

    reason = "restore unfinished"
    kind = "restore-unfinished"
