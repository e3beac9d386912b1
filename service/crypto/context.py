"""What a ciphertext belongs to: the associated data that both layers authenticate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .aead import AES_256_GCM
from .canonical import encode


class WrapContext(Protocol):
    """What a data key belongs to."""

    def for_data_key(self, key_id: bytes) -> bytes:
        """Return the associated data for wrapping the data key under the master key ``key_id``."""


@dataclass(frozen=True, slots=True)
class Context:
    """The context of one version of one secret."""

    secret_id: str
    version: int

    def for_payload(self) -> bytes:
        """Return the associated data for the payload."""
        return encode(self._pairs("payload"))

    def for_data_key(self, key_id: bytes) -> bytes:
        """Return the associated data for wrapping the data key under the master key ``key_id``."""
        return encode({**self._pairs("data-key"), "key_id": key_id.hex()})

    def _pairs(self, purpose: str) -> dict[str, str]:
        return {
            "format": str(AES_256_GCM),
            "purpose": purpose,
            "secret_id": self.secret_id,
            "version": str(self.version),
        }


@dataclass(frozen=True, slots=True)
class BackupContext:
    """The context of one backup's data key."""

    backup_id: str

    def for_data_key(self, key_id: bytes) -> bytes:
        """Return the associated data for wrapping the data key under the master key ``key_id``."""
        return encode(
            {
                "format": str(AES_256_GCM),
                "purpose": "backup-key",
                "backup_id": self.backup_id,
                "key_id": key_id.hex(),
            }
        )
