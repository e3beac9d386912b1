"""One canonical encoding of what is authenticated: sealed values, tags, and the audit log."""

from __future__ import annotations

from collections.abc import Mapping


def encode(pairs: Mapping[str, str]) -> bytes:
    """Encode pairs so that two different mappings never give the same bytes.

    Field count, then key and value of each pair in the order of the keys; every number is four
    bytes, big-endian, and every string is UTF-8 behind its length.
    """
    encoded = [len(pairs).to_bytes(4)]
    for pair in sorted(pairs.items()):
        for text in pair:
            utf8 = text.encode()
            encoded += (len(utf8).to_bytes(4), utf8)
    return b"".join(encoded)
