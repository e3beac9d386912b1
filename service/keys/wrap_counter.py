"""Counts the wraps that each master key makes, across all processes and restarts.

A key may make 2**32 wraps with random nonces (NIST SP 800-38D, 8.3).  Counting stored data keys is not
enough: destroyed versions and writes that lost a race have used a nonce as well.  So every process reserves
wraps in the database, in blocks and before making them: the total is never too low, at the cost of one round
trip per block.  When a process ends, the rest of its block is lost.
"""

from __future__ import annotations

import logging
from threading import Lock

from ..store.master_keys import KeyStore

MAX_WRAPS = 2**32
# A quarter of it: at a hundred wraps per second, the rest lasts for a year.
WARN_AT = 2**30
BLOCK_SIZE = 1024

log = logging.getLogger(__name__)


class WrapCounter:
    """The wraps left in this process's blocks, by key id."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys
        self._left: dict[str, int] = {}
        self._lock = Lock()

    def count(self, key_id: str) -> None:
        """Count one wrap before it is made.

        Raises:
            StoreUnavailable: the block is used up and no new one could be reserved.
        """
        with self._lock:
            left = self._left.get(key_id) or self._reserve(key_id)
            self._left[key_id] = left - 1

    def _reserve(self, key_id: str) -> int:
        if (warning := warn(key_id, self._keys.reserve(key_id, BLOCK_SIZE))) is not None:
            log.warning("%s", warning)
        return BLOCK_SIZE


def warn(key_id: str, wraps: int) -> str | None:
    """Return a warning if a key has made at least ``WARN_AT`` wraps, else None."""
    if wraps < WARN_AT:
        return None
    return f"master key {key_id} may have made {wraps} of at most {MAX_WRAPS} wraps: rotate it"
