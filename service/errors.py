"""Every error of the domain; nothing here knows of HTTP, MongoDB or AES.

::

    VaultError
    ├── StartRefused              the process must not start like this
    ├── InputRefused              the caller sent something that cannot be used
    │   ├── NotJson
    │   ├── MalformedJson
    │   ├── InvalidFields
    │   ├── InvalidBase64
    │   └── TooLarge
    ├── SecretNotFound
    ├── Unopenable                stored, but must not or cannot be opened
    │   ├── Tampered
    │   └── UnknownKey
    └── Unavailable               true for now, worth a retry
        ├── StoreUnavailable
        ├── AuditUnavailable
        └── KeyRingUnproven

``reason`` is a fixed phrase: it goes into audit records and metrics, so it never carries a value.
The message is for the caller or the operator; it never carries a secret, a key or a token either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class VaultError(Exception):
    """Base of every error that the service raises on purpose."""

    reason: ClassVar[str] = "internal error"


class StartRefused(VaultError):
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


class SecretNotFound(VaultError):
    """No such secret, for this caller."""

    reason = "not found"

    def __init__(self) -> None:
        super().__init__("Secret not found")


class Unopenable(VaultError):
    """What is stored does not open; no guess at its content is ever returned."""

    reason = "unopenable"


class Tampered(Unopenable):
    """A byte, the context or the key differs from what was sealed."""

    reason = "tampered"


class UnknownKey(Unopenable):
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


class KeyRingUnproven(Unavailable):
    """The key ring was not shown to open what the database holds."""

    reason = "key ring unproven"
