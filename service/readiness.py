"""Readiness: whether this process can serve, and if not, why."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial

from .audit.checkpointer import AuditLog
from .errors import CannotDecrypt, Unavailable
from .keys.canary import KeyRingCheck

_VALID_SECONDS = 1.0


class Readiness:
    """The checks, by name; each raises Unavailable or CannotDecrypt if it fails.

    The database comes first: without it, the other checks are skipped.  What they find holds for
    ``_VALID_SECONDS``, for all callers: a check costs a transaction, and anyone may ask.
    """

    def __init__(
        self, checks: Mapping[str, Callable[[], None]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._checks = checks
        self._clock = clock
        self._lock = threading.Lock()
        self._found: dict[str, str] = {}
        self._valid_until = -math.inf

    def findings(self) -> dict[str, str]:
        """Return ``ok`` or an error message for each check, in order."""
        # Who comes while the checks run waits for them.
        with self._lock:
            if self._clock() >= self._valid_until:
                self._found = self._run()
                self._valid_until = self._clock() + _VALID_SECONDS
            return self._found

    def _run(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, check in self._checks.items():
            if found.get("database", "ok") != "ok":
                found[name] = "not checked: the database cannot be used"
                continue
            try:
                check()
                found[name] = "ok"
            except (Unavailable, CannotDecrypt) as error:
                found[name] = str(error)
        return found


def readiness(ping: Callable[[], None], key_check: KeyRingCheck, audit: AuditLog | None) -> Readiness:
    """Return the checks of one process; ``audit`` is None if auditing is off."""
    checks: dict[str, Callable[[], None]] = {"database": ping, "keys": key_check.check}
    if audit is not None:
        checks["audit"] = partial(_check_log, audit)
    return Readiness(checks)


def _check_log(audit: AuditLog) -> None:
    audit.key.keys()
    audit.records.check_writable()
