"""The grants in force, in this process's memory: a delivery costs no query for them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress

from ..crypto import tags
from ..crypto.keyring import KeyRing
from ..errors import CannotDecrypt, Tampered
from ..group_commit import GroupCommit
from ..models import Grant
from ..store.database import seconds_left
from ..store.grants import GrantStore
from . import rules
from .grants import MAX_GRANTS
from .rules import Recipient

# A deleted grant is in force for so long at most, as a revoked token is; and a new one is not yet.
RECHECK_SECONDS = 5.0
_RECHECK_FOR_NEW_SECONDS = 1.0

# More than a process has threads.
_MAX_BATCH = 256


class CurrentGrants:
    """All grants, read again once they are ``RECHECK_SECONDS`` old; ``operation_timeout`` is in seconds.

    However many deliveries there are at once, one of them reads, and the others wait for it.
    """

    def __init__(
        self,
        store: GrantStore,
        ring: KeyRing,
        operation_timeout: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._ring = ring
        self._operation_timeout = operation_timeout
        self._clock = clock
        # Together with when they were asked for, so that nobody sees one of the two without the other.
        self._known: tuple[float, tuple[Grant, ...]] = (-math.inf, ())
        self._group = GroupCommit[float, tuple[Grant, ...]](self._read, _MAX_BATCH)

    def find(self, recipient: Recipient, path: str) -> Grant | None:
        """Return a grant that lets the recipient have the secret at ``path``, or None if there is none.

        Raises:
            StoreUnavailable: the database did not answer in time.
        """
        # Whoever is refused may have been granted it a moment ago.
        for max_age in (RECHECK_SECONDS, _RECHECK_FOR_NEW_SECONDS):
            for grant in self._not_older_than(max_age):
                if rules.covers(grant, recipient, path):
                    return grant
        return None

    def forget(self) -> None:
        """Read them again at the next delivery, because this process has changed one."""
        self._known = (-math.inf, ())

    def _not_older_than(self, seconds: float) -> tuple[Grant, ...]:
        read_at, grants = self._known
        if self._clock() - read_at < seconds:
            return grants
        return self._group.submit(seconds, seconds_left(self._operation_timeout))

    def _read(self, max_ages: list[float]) -> list[tuple[Grant, ...] | Exception]:
        asked_at = self._clock()
        read_at, grants = self._known
        if asked_at - read_at >= min(max_ages):
            grants = tuple(self._authentic())
            self._known = (asked_at, grants)
        return [grants] * len(max_ages)

    def _authentic(self) -> list[Grant]:
        grants = []
        for _, stored in self._store.page("", MAX_GRANTS):
            # One that does not authenticate grants nothing; lists and drills name it.
            with suppress(CannotDecrypt):
                if not isinstance(stored, Tampered):
                    tags.verify_grant(stored, self._ring)
                    grants.append(stored.grant)
        return grants
