"""Why a call has no value, and what became of each call.

::

    DeliveryError
    ├── MalformedRequest      the engine's call is not one
    │   └── EmptyRequest      the engine repeats a call whose connection broke, without its body
    ├── InvalidLabels         the Docker secret's labels do not say which secret of the vault it is
    ├── OwnStack              the vault's own services must start without the vault
    ├── InvalidConfiguration  the configuration folder cannot be used
    ├── NotAllowed            the vault refuses this secret to this service, or does not have it
    ├── TokenRefused          the vault does not accept the driver's token
    ├── VaultUnavailable      the vault answered that it cannot serve
    ├── InvalidAnswer         the vault's answer cannot be handed on
    ├── VaultNotReached       no answer from the vault
    ├── CircuitOpen           there was none a moment ago, so it was not asked
    └── InternalError         a fault of this program

The message is for the operator, and never contains a value or a token.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class Outcome(StrEnum):
    """What became of a call, as its log line says; alerts count these, so they must not change."""

    DELIVERED = "delivered"
    ACTIVATED = "activated"
    RENEWED = "renewed"
    MALFORMED_REQUEST = "malformed_request"
    EMPTY_REQUEST = "empty_request"
    INVALID_LABELS = "invalid_labels"
    OWN_STACK = "own_stack"
    INVALID_CONFIGURATION = "invalid_configuration"
    NOT_ALLOWED = "not_allowed"
    TOKEN_REFUSED = "token_refused"  # noqa: S105  (a word of the log)
    VAULT_UNAVAILABLE = "vault_unavailable"
    INVALID_ANSWER = "invalid_answer"
    VAULT_NOT_REACHED = "vault_not_reached"
    CIRCUIT_OPEN = "circuit_open"
    INTERNAL_ERROR = "internal_error"


class DeliveryError(Exception):
    """A call that has no value; ``outcome`` is for its log line, ``status`` for the engine."""

    outcome: ClassVar[Outcome]
    status = 200


class MalformedRequest(DeliveryError):
    """The engine's call cannot be understood."""

    outcome = Outcome.MALFORMED_REQUEST

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class EmptyRequest(MalformedRequest):
    """The engine sends the body once: when it repeats a call, the body is empty."""

    outcome = Outcome.EMPTY_REQUEST


class InvalidLabels(DeliveryError):
    """The labels under ``secret-manager.`` are incomplete, invalid or unknown."""

    outcome = Outcome.INVALID_LABELS


class OwnStack(DeliveryError):
    """The service belongs to the vault's own stack."""

    outcome = Outcome.OWN_STACK


class InvalidConfiguration(DeliveryError):
    """A file of the configuration folder is missing, unreadable, too open or invalid."""

    outcome = Outcome.INVALID_CONFIGURATION


class NotAllowed(DeliveryError):
    """The vault does not give this version of this secret to this service."""

    outcome = Outcome.NOT_ALLOWED


class TokenRefused(DeliveryError):
    """The vault does not accept the token, or the token may not do this."""

    outcome = Outcome.TOKEN_REFUSED


class VaultUnavailable(DeliveryError):
    """The vault answered with an error that is not about this call."""

    outcome = Outcome.VAULT_UNAVAILABLE


class InvalidAnswer(DeliveryError):
    """The vault's answer has no value, one of another version, or one that Swarm does not take."""

    outcome = Outcome.INVALID_ANSWER


class VaultNotReached(DeliveryError):
    """No address answered in time."""

    outcome = Outcome.VAULT_NOT_REACHED


class CircuitOpen(DeliveryError):
    """The vault is not asked, because it was not reachable a moment ago."""

    outcome = Outcome.CIRCUIT_OPEN


class InternalError(DeliveryError):
    """An exception that nothing else stands for."""

    outcome = Outcome.INTERNAL_ERROR
    status = 500
