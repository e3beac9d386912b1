"""What a ciphertext belongs to, in one canonical encoding that both layers authenticate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .aead import AES_256_GCM
from .canonical import encode


class Place(Protocol):
    """What a data key was made for."""

    def for_data_key(self, key_id: bytes) -> bytes:
        """Return the associated data of the data key's wrap under the master key ``key_id``."""


@dataclass(frozen=True, slots=True)
class Context:
    """The place a ciphertext was made for: one version of one secret."""

    secret_id: str
    version: int

    def for_payload(self) -> bytes:
        """Return the associated data of the payload."""
        return encode(self._pairs("payload"))

    def for_data_key(self, key_id: bytes) -> bytes:
        """Return the associated data of the data key's wrap under the master key ``key_id``."""
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
    """The place of the data key of one backup."""

    backup_id: str

    def for_data_key(self, key_id: bytes) -> bytes:
        """Return the associated data of the data key's wrap under the master key ``key_id``."""
        return encode(
            {
                "format": str(AES_256_GCM),
                "purpose": "backup-key",
                "backup_id": self.backup_id,
                "key_id": key_id.hex(),
            }
        )
