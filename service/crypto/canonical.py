"""The canonical encoding of everything that is authenticated: sealed values, tags, audit records."""

from __future__ import annotations

from collections.abc import Mapping


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
