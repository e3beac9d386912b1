"""Readiness: whether this process can serve, and if not, why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from .audit.checkpointer import AuditLog
from .errors import CannotDecrypt, Unavailable
from .keys.canary import KeyRingCheck


@dataclass(frozen=True, slots=True)
class Readiness:
    """The checks, by name; each raises Unavailable or CannotDecrypt if it fails.

    The database comes first: without it, the other checks are skipped.
    """

    checks: Mapping[str, Callable[[], None]]

    def findings(self) -> dict[str, str]:
        """Return ``ok`` or an error message for each check, in order."""
        found: dict[str, str] = {}
        for name, check in self.checks.items():
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
