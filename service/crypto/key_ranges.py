"""Where everything lies that is under one master key, for whoever compares bytes and knows no key."""

from __future__ import annotations

from ..models import KeySpans, Span
from . import aead, mac

_WRAP_BYTES = 1 + aead.KEY_ID_BYTES + aead.NONCE_BYTES + aead.KEY_BYTES + aead.TAG_BYTES


def of(key_id: str) -> KeySpans:
    """Return the spans of the key with this id (in hex).

    A format that is added to ``aead`` or ``mac`` needs a span of its own: what begins otherwise is in none.
    """
    octets = bytes.fromhex(key_id)
    return KeySpans(
        data_keys=_span(bytes([aead.AES_256_GCM]) + octets, _WRAP_BYTES),
        tags=_span(bytes([mac.HMAC_SHA256]) + octets, mac.TAG_BYTES),
    )


def _span(prefix: bytes, length: int) -> Span:
    return Span(prefix.ljust(length, b"\x00"), prefix.ljust(length, b"\xff"))
