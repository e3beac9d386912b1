"""Every error of the domain; nothing here knows of HTTP, MongoDB or AES.

::

    VaultError
    ├── ConfigurationError              the process must not start like this
    ├── InputRefused              the caller sent something that cannot be used
    │   ├── NotJson
    │   ├── MalformedJson
    │   ├── InvalidFields
    │   ├── InvalidBase64
    │   ├── TooLarge
    │   └── ImportFormatError         a file that cannot be read as any that can be imported
    ├── Unauthenticated           nobody whom the service knows
    │   ├── NoToken
    │   ├── MalformedToken        a typing error, not a guess
    │   └── InvalidToken
    │       ├── TokenExpired
    │       ├── TokenRevoked
    │       ├── TokenUsedUp
    │       └── AddressNotAllowed
    ├── Forbidden                 known, but may not
    ├── TooManyRequests
    ├── SecretNotFound
    │   ├── SecretHidden          there, but not for this caller, who is told the same
    │   ├── NoSuchVersion         the secret is there; this and the rest only who may know is told
    │   ├── SecretDeleted
    │   ├── SecretExpired
    │   └── SecretDestroyed
    │       └── AlreadyRead       as often as it could be
    ├── TokenNotFound
    ├── PathTaken
    ├── VersionConflict
    ├── BatchFailed               one of several failed, so that none was done
    ├── CannotDecrypt                stored, but must not or cannot be opened
    │   ├── Tampered
    │   └── UnknownKey
    └── Unavailable               true for now, worth a retry
        ├── StoreUnavailable
        ├── AuditUnavailable
        ├── KeyRingMismatch
        └── RestoreUnfinished

``reason`` is a fixed phrase: it goes into audit records and metrics, so it never carries a value.
The message is for the caller or the operator; it never carries a secret, a key or a token either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class VaultError(Exception):
    """Base of every error that the service raises on purpose."""

    reason: ClassVar[str] = "internal error"


class ConfigurationError(VaultError):
    """Something about the configuration or the surroundings is doubtful; the message says what to do."""

    reason = "start refused"


class InputRefused(VaultError):
    """The request cannot be used as it is."""

    reason = "input refused"


class NotJson(InputRefused):
    """The request does not say that its body is JSON."""

    reason = "not json"


class MalformedJson(InputRefused):
    """The body is not a JSON document."""

    reason = "malformed json"


class InvalidFields(InputRefused):
    """The body does not fit the schema; ``errors`` maps each field to what is wrong with it."""

    reason = "invalid fields"

    def __init__(self, errors: Mapping[str, Any]) -> None:
        super().__init__("the request does not fit the schema; see errors")
        self.errors = errors


class InvalidBase64(InputRefused):
    """The value is not base64 as RFC 4648 section 4 writes it."""

    reason = "invalid base64"


class TooLarge(InputRefused):
    """The request or the secret in it exceeds the limit."""

    reason = "too large"


class ImportFormatError(InputRefused):
    """The file cannot be read as any that can be imported; nothing was."""

    reason = "not importable"


class Unauthenticated(VaultError):
    """The request does not prove who sends it."""

    reason = "unauthenticated"


class NoToken(Unauthenticated):
    """The request has no token."""

    reason = "no token"

    def __init__(self) -> None:
        super().__init__("send a token, with the header Authorization: Bearer <token>")


class MalformedToken(Unauthenticated):
    """What was sent has not the form of a token, or its checksum is wrong."""

    reason = "malformed token"

    def __init__(self) -> None:
        super().__init__("this is no token: it was cut short, mistyped, or is something else")


class InvalidToken(Unauthenticated):
    """No token like this can be used; whether its id is known is not told."""

    reason = "invalid token"

    def __init__(self, message: str = "the token is not valid") -> None:
        super().__init__(message)


class TokenExpired(InvalidToken):
    """The token's time is over; only its holder is told."""

    reason = "token expired"

    def __init__(self) -> None:
        super().__init__("the token has expired: ask whoever gave it to you for another")


class TokenRevoked(InvalidToken):
    """The token was taken back; only its holder is told."""

    reason = "token revoked"

    def __init__(self) -> None:
        super().__init__("the token was revoked: ask whoever gave it to you for another")


class TokenUsedUp(InvalidToken):
    """The token was used as often as it may be; only its holder is told."""

    reason = "token used up"

    def __init__(self) -> None:
        super().__init__("the token was used as often as it may be")


class AddressNotAllowed(InvalidToken):
    """The token may not be used from the caller's address; only its holder is told."""

    reason = "foreign address"

    def __init__(self) -> None:
        super().__init__("the token may not be used from this address")


class Forbidden(VaultError):
    """The caller's scopes do not allow the operation."""

    reason = "forbidden"


class TooManyRequests(VaultError):
    """The caller must wait; ``retry_after`` is in seconds."""

    reason = "too many requests"

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SecretNotFound(VaultError):
    """No such secret, for this caller; ``told`` is what became of it, for those who may know."""

    reason = "not found"

    def __init__(self, told: str | None = None) -> None:
        super().__init__("Secret not found" if told is None else f"Secret not found: {told}")


class SecretHidden(SecretNotFound):
    """There is such a secret, but the caller's scopes do not reach it; the audit log alone knows."""

    reason = "forbidden"


class NoSuchVersion(SecretNotFound):
    """The secret has not had a version of this number yet."""

    reason = "no such version"


class SecretDeleted(SecretNotFound):
    """The secret, or this version of it, was deleted; that can be undone."""

    reason = "deleted"


class SecretExpired(SecretNotFound):
    """The time of the secret, or of this version of it, is over."""

    reason = "expired"


class SecretDestroyed(SecretNotFound):
    """The secret, or this version of it, was destroyed for good."""

    reason = "destroyed"


class AlreadyRead(SecretDestroyed):
    """The secret was read as often as it could be; the message says when, and from where, the last time."""

    reason = "already read"


class TokenNotFound(VaultError):
    """No such token, for this caller."""

    reason = "not found"

    def __init__(self) -> None:
        super().__init__("Token not found")


class PathTaken(VaultError):
    """Another secret has this path."""

    reason = "path taken"

    def __init__(self) -> None:
        super().__init__("another secret has this path: choose another")


class VersionConflict(VaultError):
    """The secret is at another version than the caller thinks; ``current_version`` is the one it is at."""

    reason = "version conflict"

    def __init__(self, current_version: int) -> None:
        super().__init__(
            f"the secret is at version {current_version}: fetch that, and expect it in the next attempt"
        )
        self.current_version = current_version


class BatchFailed(VaultError):
    """Nothing of a batch was done, because ``cause`` befell the part number ``index``, counted from 0."""

    reason = "another one of the batch failed"

    def __init__(self, index: int, cause: VaultError) -> None:
        super().__init__(f"secrets[{index}]: {cause}; nothing of the batch was done")
        self.index = index
        self.cause = cause


class CannotDecrypt(VaultError):
    """What is stored does not open; no guess at its content is ever returned."""

    reason = "unopenable"


class Tampered(CannotDecrypt):
    """A byte, the context or the key differs from what was sealed."""

    reason = "tampered"


class UnknownKey(CannotDecrypt):
    """No master key of the ring has the key id under which the record was sealed."""

    reason = "unknown key"


class Unavailable(VaultError):
    """The service cannot answer now; the same call may succeed later."""

    reason = "unavailable"


class StoreUnavailable(Unavailable):
    """The database did not answer inside the time limit, or refused the operation."""

    reason = "store unavailable"


class AuditUnavailable(Unavailable):
    """The audit record could not be made durable, so the answer must not leave."""

    reason = "audit unavailable"


class KeyRingMismatch(Unavailable):
    """The key ring was not shown to open what the database holds."""

    reason = "key ring unproven"


class RestoreUnfinished(Unavailable):
    """A backup is being brought back, or that was interrupted: what is there is not all of it."""

    reason = "restore unfinished"
