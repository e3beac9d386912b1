"""Authentication tags for records that are stored in the clear; only a holder of a master key can make one.

A tag is ``format byte ‖ key id (8) ‖ HMAC-SHA256 (32)`` over the encoded content (``canonical``), under a key
derived from the master key for this format alone.
"""

from __future__ import annotations

import hashlib
import hmac

from ..errors import Tampered
from .aead import KEY_ID_BYTES, key_id_of

# Append only, and different from every number in ``aead.FORMATS`` (see there for what a format needs).
PARTIAL = 2  # Over some fields of a record (``canonical.encode``); no longer made.
WHOLE = 3  # Over all of a record (``canonical.encode_record``).
# What the key is derived with.
FORMATS = {
    PARTIAL: b"secret-manager record authentication",
    WHOLE: b"secret-manager whole record authentication",
}

TAG_BYTES = 1 + KEY_ID_BYTES + hashlib.sha256().digest_size


def tag(key: bytes, content: bytes) -> bytes:
    """Return the tag of a whole record's content."""
    return _tag(key, content, WHOLE)


def verify(key: bytes, candidate: bytes, content: bytes) -> None:
    """Check that ``candidate`` is the tag of ``content``, in its own format, under this key.

    Raises:
        Tampered: it is not.
    """
    if not hmac.compare_digest(candidate, _tag(key, content, candidate[0])):
        raise Tampered("does not authenticate")


def key_id(candidate: bytes) -> bytes:
    """Return the id of the master key under which a tag was made.

    Raises:
        Tampered: it is not a tag.
    """
    if len(candidate) != TAG_BYTES or candidate[0] not in FORMATS:
        raise Tampered("not a tag of a known format")
    return candidate[1 : 1 + KEY_ID_BYTES]


def is_partial(candidate: bytes) -> bool:
    """Return whether this is a tag over some fields only."""
    return candidate[:1] == bytes([PARTIAL])


def _tag(key: bytes, content: bytes, tag_format: int) -> bytes:
    derived = hmac.digest(key, FORMATS[tag_format], hashlib.sha256)
    return bytes([tag_format]) + key_id_of(key) + hmac.digest(derived, content, hashlib.sha256)
