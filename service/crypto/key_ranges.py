"""Where everything lies that is under one master key, for whoever compares bytes and knows no key."""

from __future__ import annotations

from ..models import ByteRange, KeyRanges
from . import aead, mac

_WRAP_BYTES = 1 + aead.KEY_ID_BYTES + aead.NONCE_BYTES + aead.KEY_BYTES + aead.TAG_BYTES


def for_key(key_id: str) -> KeyRanges:
    """Return the spans of the key with this id (in hex).

    A format that is added to ``aead`` or ``mac`` needs a span of its own: what begins otherwise is in none.
    """
    raw_id = bytes.fromhex(key_id)
    return KeyRanges(
        data_keys=_range(bytes([aead.AES_256_GCM]) + raw_id, _WRAP_BYTES),
        tags=_range(bytes([mac.HMAC_SHA256]) + raw_id, mac.TAG_BYTES),
    )


def _range(prefix: bytes, length: int) -> ByteRange:
    return ByteRange(prefix.ljust(length, b"\x00"), prefix.ljust(length, b"\xff"))
