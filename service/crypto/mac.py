"""Authentication tags for fields that are stored in the clear; only a holder of a master key can make one.

A tag is ``format byte ‖ key id (8) ‖ HMAC-SHA256 (32)`` over the canonical encoding of the fields,
under a key derived from the master key for this purpose alone.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from ..errors import Tampered
from .aead import KEY_ID_BYTES, key_id_of
from .canonical import encode

# Append only, and different from every number in ``aead.FORMATS`` (see there for what a format needs).
HMAC_SHA256 = 2

TAG_BYTES = 1 + KEY_ID_BYTES + hashlib.sha256().digest_size


def tag(key: bytes, fields: Mapping[str, str]) -> bytes:
    """Return the tag of ``fields``."""
    derived = hmac.digest(key, b"secret-manager record authentication", hashlib.sha256)
    return bytes([HMAC_SHA256]) + key_id_of(key) + hmac.digest(derived, encode(fields), hashlib.sha256)


def verify(key: bytes, candidate: bytes, fields: Mapping[str, str]) -> None:
    """Check that ``candidate`` is the tag of ``fields`` under this key.

    Raises:
        Tampered: it is not.
    """
    if not hmac.compare_digest(candidate, tag(key, fields)):
        raise Tampered("does not authenticate")


def key_id(candidate: bytes) -> bytes:
    """Return the id of the master key under which a tag was made.

    Raises:
        Tampered: it is not a tag.
    """
    if len(candidate) != TAG_BYTES or candidate[0] != HMAC_SHA256:
        raise Tampered("not a tag of a known format")
    return candidate[1 : 1 + KEY_ID_BYTES]
