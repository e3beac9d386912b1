"""Byte ranges that select everything under one master key, for database queries."""

from __future__ import annotations

from ..models import ByteRange, KeyRanges
from . import aead, mac

_WRAP_BYTES = 1 + aead.KEY_ID_BYTES + aead.NONCE_BYTES + aead.KEY_BYTES + aead.TAG_BYTES


def for_key(key_id: str) -> KeyRanges:
    """Return the byte ranges of the key with this id (in hex).

    Every format of ``aead`` and ``mac`` needs a range here: a value outside all of them is never rewrapped.
    """
    raw_id = bytes.fromhex(key_id)
    return KeyRanges(
        data_keys=_range(bytes([aead.AES_256_GCM]) + raw_id, _WRAP_BYTES),
        tags=_range(bytes([mac.WHOLE]) + raw_id, mac.TAG_BYTES),
        partial_tags=_range(bytes([mac.PARTIAL]) + raw_id, mac.TAG_BYTES),
    )


def _range(prefix: bytes, length: int) -> ByteRange:
    return ByteRange(prefix.ljust(length, b"\x00"), prefix.ljust(length, b"\xff"))
