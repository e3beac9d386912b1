"""Create and fetch.  Every use case is given the audit entry that its door has opened for it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from ..audit.recorder import Entry
from ..crypto import envelope
from ..crypto.context import Context
from ..crypto.keyring import KeyRing
from ..errors import SecretNotFound, TooLarge
from ..models import FetchedSecret, SealedVersion
from ..store.secrets import SecretStore
from .proof import KeyProof, open_stored


@dataclass(frozen=True, slots=True)
class Vault:
    """What the use cases work with; ``max_secret_bytes`` bounds one value."""

    secrets: SecretStore
    ring: KeyRing
    proof: KeyProof
    max_secret_bytes: int


def create(vault: Vault, entry: Entry, plaintext: bytes) -> SealedVersion:
    """Seal a value as version 1 of a new secret and keep it.

    Raises:
        TooLarge: the value is longer than the limit.
        KeyRingUnproven: the key ring does not fit the data.
        StoreUnavailable: the secret may or may not have been kept; nobody knows its id.
    """
    if len(plaintext) > vault.max_secret_bytes:
        raise TooLarge(f"a secret may have up to {vault.max_secret_bytes} bytes")
    vault.proof.require()

    context = Context(secret_id=str(uuid.uuid4()), version=1)
    entry.secret_id = context.secret_id
    sealed = SealedVersion(
        secret_id=context.secret_id,
        version=context.version,
        envelope=envelope.seal(plaintext, context, vault.ring),
        created_at=datetime.now(UTC),
    )
    vault.secrets.insert(sealed)
    return sealed


def fetch(vault: Vault, entry: Entry, secret_id: str) -> FetchedSecret:
    """Return the current version of a secret.

    Raises:
        SecretNotFound: there is no such secret.
        KeyRingUnproven: the key ring does not fit the data.
        Tampered, UnknownKey: what is stored does not open.
        StoreUnavailable: the database did not answer.
    """
    entry.secret_id = secret_id
    vault.proof.require()

    stored = vault.secrets.find(secret_id)
    if stored is None:
        raise SecretNotFound
    return FetchedSecret(
        secret_id=stored.secret_id,
        version=stored.version if isinstance(stored, SealedVersion) else 1,
        plaintext=open_stored(stored, vault.ring),
        created_at=stored.created_at,
    )
