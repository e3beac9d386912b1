"""The records that cross the borders between packages, all frozen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    """How an operation ended, as the audit log says it."""

    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: taken from the request at the border, never again later."""

    client_ip: str
    request_id: str
    actor: str = "anonymous"


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One operation. ``timestamp`` is aware and in UTC; ``reason`` is set on failures only."""

    timestamp: datetime
    operation: str
    secret_id: str | None
    client_ip: str
    status: Status
    actor: str
    request_id: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Envelope:
    """A sealed payload and the wrapped data key that opens it; both opaque outside ``crypto``."""

    payload: bytes
    data_key: bytes


@dataclass(frozen=True, slots=True)
class SealedVersion:
    """One version of a secret as it is stored. ``version`` counts from 1."""

    secret_id: str
    version: int
    envelope: Envelope
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LegacySecret:
    """A secret of an earlier implementation: nonce ‖ ciphertext ‖ tag under the master key, no context.

    ``created_at`` is None where that implementation did not write one.
    """

    secret_id: str
    ciphertext: bytes
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class FetchedSecret:
    """A secret in the clear, on its way to the caller."""

    secret_id: str
    version: int
    plaintext: bytes
    created_at: datetime | None

    def __repr__(self) -> str:
        """Say which secret it is and never what it is."""
        return f"FetchedSecret({self.secret_id}, version={self.version})"
