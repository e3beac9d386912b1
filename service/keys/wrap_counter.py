"""Counts what each master key wraps, over all processes and for good.

A key may make 2**32 wraps with random nonces (NIST SP 800-38D, 8.3).  What is stored tells too little:
versions that were destroyed and writes that lost a race have used a nonce as well.  So every process takes
wraps out of the database in blocks, before it makes them: the sum is never too small, and costs a round trip
once per block.  A process that ends leaves the rest of its block unused.
"""

from __future__ import annotations

import logging
from threading import Lock

from ..store.master_keys import KeyStore

MAX_WRAPS = 2**32
# A quarter: at a hundred wraps a second, what is left lasts for a year.
WARN_AT = 2**30
BLOCK_SIZE = 1024

log = logging.getLogger(__name__)


class WrapCounter:
    """The wraps that this process may still make out of its blocks, by key id."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys
        self._left: dict[str, int] = {}
        self._lock = Lock()

    def count(self, key_id: str) -> None:
        """Count one wrap before it is made.

        Raises:
            StoreUnavailable: a block was used up and no other could be had.
        """
        with self._lock:
            left = self._left.get(key_id) or self._reserve(key_id)
            self._left[key_id] = left - 1

    def _reserve(self, key_id: str) -> int:
        if (warning := warn(key_id, self._keys.reserve(key_id, BLOCK_SIZE))) is not None:
            log.warning("%s", warning)
        return BLOCK_SIZE


def warn(key_id: str, wraps: int) -> str | None:
    """Return what to say of a key that has made so many wraps, or None while there is nothing to say."""
    if wraps < WARN_AT:
        return None
    return f"master key {key_id} may have made {wraps} wraps of {MAX_WRAPS} at most: rotate it"
