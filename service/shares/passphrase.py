"""A share's passphrase: what is stored of it, and whether another text is the same."""

from __future__ import annotations

import hashlib
import hmac
import secrets

MIN_CHARACTERS, MAX_CHARACTERS = 6, 256
# How often one may be wrong before the share ends; what protects it, as people choose it.
MAX_TRIES = 5

_SALT_BYTES = 16
# RFC 7914 section 2, for interactive use: 16 MiB and about 50 ms.  Only who can read the database could try
# more often, and needs the master key besides to have the value.
_COST, _BLOCK_SIZE, _PARALLELISM = 2**14, 8, 1


def hash_of(text: str) -> bytes:
    """Return a random salt (16 bytes) and the scrypt hash (32 bytes) of a passphrase."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return salt + _scrypt(text, salt)


def is_right(text: str, stored: bytes) -> bool:
    """Return whether ``stored`` is the hash of this passphrase."""
    return hmac.compare_digest(_scrypt(text, stored[:_SALT_BYTES]), stored[_SALT_BYTES:])


def _scrypt(text: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        text.encode(), salt=salt, n=_COST, r=_BLOCK_SIZE, p=_PARALLELISM, maxmem=2**26, dklen=32
    )
