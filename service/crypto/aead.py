"""AES-256-GCM with a self-describing header: the encryption of everything in the database.

A sealed value is ``format byte ‖ key id (8) ‖ nonce (12) ‖ ciphertext ‖ tag (16)``.  Nonces are
96 random bits (NIST SP 800-38D, 8.2.2), which limits one key to 2**32 seals.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..errors import Tampered

KEY_BYTES = 32
KEY_ID_BYTES = 8
NONCE_BYTES = 12
TAG_BYTES = 16

# Append only: a number that has been on a disk never changes its meaning.  A new format also needs
# - a number that is not the format byte of a tag (``mac.FORMATS``);
# - its header read in ``key_id`` and its body in ``open_``;
# - a byte range in ``key_ranges.for_key`` and ``models.KeyRanges``, and that range in the queries of
#   ``store.rewrap``: without it a rewrap would leave its data keys under the old master key;
# - its number in the associated data (``context``), and vectors in ``tests/crypto/vectors.json``.
# ``tests/crypto/test_key_ranges.py`` fails if a format has no byte range.
AES_256_GCM = 1
FORMATS = (AES_256_GCM,)

_HEADER_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES


def key_id_of(key: bytes) -> bytes:
    """Return the id of a key: 8 bytes that identify it and reveal nothing about it."""
    return hmac.digest(key, b"secret-manager key id", hashlib.sha256)[:KEY_ID_BYTES]


def seal(key: bytes, plaintext: bytes, context: bytes) -> bytes:
    """Encrypt ``plaintext`` (up to 2**36 - 32 bytes, NIST SP 800-38D 5.2.1.1); authenticate ``context``."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    header = bytes([AES_256_GCM]) + key_id_of(key) + nonce
    return header + AESGCM(key).encrypt(nonce, plaintext, context)


def plaintext_bytes(sealed: bytes) -> int:
    """Return the length of the plaintext, without opening it."""
    return max(0, len(sealed) - _HEADER_BYTES - TAG_BYTES)


def open_(key: bytes, sealed: bytes, context: bytes) -> bytes:
    """Return the plaintext.

    Raises:
        Tampered: the header, the body, the key or the context differs from what was sealed.
    """
    # The GCM tag does not cover the key id and the format: this comparison is what rejects a header that
    # was altered.
    if key_id(sealed) != key_id_of(key):
        raise Tampered("sealed under another key")
    return decrypt(key, sealed[1 + KEY_ID_BYTES :], context)


def decrypt(key: bytes, sealed: bytes, context: bytes | None) -> bytes:
    """Decrypt a bare ``nonce ‖ ciphertext ‖ tag``.

    Raises:
        Tampered: it does not authenticate.
    """
    if len(sealed) < NONCE_BYTES + TAG_BYTES:
        raise Tampered("too short for a sealed value")
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
    except InvalidTag:
        raise Tampered("does not authenticate") from None


def key_id(sealed: bytes) -> bytes:
    """Return the id of the key that sealed this value.

    Raises:
        Tampered: the value is too short, or its format byte is unknown.
    """
    if len(sealed) < _HEADER_BYTES + TAG_BYTES:
        raise Tampered("too short for a sealed value")
    if sealed[0] not in FORMATS:
        raise Tampered(f"unknown format {sealed[0]}")
    return sealed[1 : 1 + KEY_ID_BYTES]
