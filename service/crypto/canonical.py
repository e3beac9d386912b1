"""The canonical encodings of everything that is authenticated: sealed values, tags, audit records."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime


def encode(pairs: Mapping[str, str]) -> bytes:
    """Encode pairs so that two different mappings never have the same encoding.

    The number of pairs, then the key and value of each pair, sorted by key; every number is four
    bytes, big-endian, and every string is UTF-8, preceded by its length in bytes.
    """
    encoded = [len(pairs).to_bytes(4)]
    for pair in sorted(pairs.items()):
        for text in pair:
            utf8 = text.encode()
            encoded += (len(utf8).to_bytes(4), utf8)
    return b"".join(encoded)


def encode_record(fields: Mapping[str, object]) -> bytes:
    """Encode a record's fields so that two records of one kind never have the same encoding.

    ASCII JSON without spaces, in the order of ``fields``, which the caller keeps the same.  Sequences are
    arrays, times ISO 8601, bytes hexadecimal; a field has one of these types in every record of its kind.
    """
    return _ENCODER.encode(fields).encode("ascii")


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value).__name__} has no canonical encoding")


# One object for all calls: making it costs as much as encoding a record.
_ENCODER = json.JSONEncoder(separators=(",", ":"), default=_text, allow_nan=False, check_circular=False)
