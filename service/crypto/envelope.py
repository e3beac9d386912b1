"""Envelope encryption with one data key per secret version.

A payload is encrypted under a data key that is used once.  The data key is wrapped under a master
key of the ring.  Both layers authenticate the version they belong to: a ciphertext that was moved to
another record, or put back after an update, cannot be decrypted.
"""

from __future__ import annotations

import secrets

from ..errors import Tampered
from ..models import Envelope
from . import aead
from .context import Context
from .keyring import KeyRing


def seal(plaintext: bytes, context: Context, ring: KeyRing) -> Envelope:
    """Encrypt a value of any length for the version that ``context`` names."""
    data_key = secrets.token_bytes(aead.KEY_BYTES)
    return Envelope(
        payload=aead.seal(data_key, plaintext, context.for_payload()),
        data_key=ring.wrap(data_key, context),
    )


def open_(envelope: Envelope, context: Context, ring: KeyRing) -> bytes:
    """Return the value.

    Raises:
        UnknownKey: no key of the ring has the envelope's key id.
        Tampered: a byte, the secret id or the version differs from what was sealed, or the payload is gone.
    """
    if envelope.payload is None:
        raise Tampered("its value is missing")
    data_key = ring.unwrap(envelope.data_key, context)
    return aead.open_(data_key, envelope.payload, context.for_payload())


def master_key_id(envelope: Envelope) -> str:
    """Return the id, in hex, of the master key that wraps the data key."""
    return aead.key_id(envelope.data_key).hex()


def open_legacy(ciphertext: bytes, ring: KeyRing) -> bytes:
    """Decrypt a record of an earlier implementation, which has no data key, no context and no key id.

    Such a record is not bound to its secret, so nothing is written in this format.

    Raises:
        Tampered: no key of the ring decrypts it.
    """
    for key in ring.keys:
        try:
            return aead.decrypt(key, ciphertext, None)
        except Tampered:
            continue
    raise Tampered("no key of the ring decrypts it")
