"""The status of the whole service at a glance, for whoever looks after it."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from . import __version__
from .access import policy
from .audit.checkpointer import AuditLog
from .audit.search import AuditQuery, FoundRecord, search_log
from .keys.status import KeyServices, KeySummary, key_summaries
from .models import Action, Principal
from .readiness import Readiness


@dataclass(frozen=True, slots=True)
class StatusServices:
    """What the status is put together from; ``warnings`` name the protections that are switched off."""

    readiness: Readiness
    audit_log: AuditLog
    keys: KeyServices
    warnings: tuple[str, ...]
    authentication: bool
    tls: bool
    audit: bool


@dataclass(frozen=True, slots=True)
class Replica:
    """A replica that is running, by its host's name; in a container, that is the container's id.

    ``replica`` and ``version`` are None for all replicas of a version that did not record them.
    """

    replica: str | None
    version: str | None
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """What ``service_status`` returns; ``replica`` is the one that answers.

    ``last_backup`` and ``last_drill`` are the newest records of these, whether they succeeded or not.
    ``audit_records`` and ``audit_bytes`` are the size of the log.
    """

    version: str
    replica: str
    authentication: bool
    tls: bool
    audit: bool
    checks: Mapping[str, str]
    warnings: list[str]
    replicas: list[Replica]
    last_backup: FoundRecord | None
    last_drill: FoundRecord | None
    keys: list[KeySummary]
    audit_records: int
    audit_bytes: int


def service_status(services: StatusServices, principal: Principal) -> ServiceStatus:
    """Return the status, as this process and the database know it.

    Raises:
        Forbidden: the caller may not audit.
        StoreUnavailable: the database did not answer in time.
        CannotDecrypt: the audit key cannot be opened.
    """
    policy.require(principal, Action.AUDIT)
    keys, of_keys = key_summaries(services.keys)
    records, size = services.audit_log.records.size()
    return ServiceStatus(
        version=__version__,
        replica=socket.gethostname(),
        authentication=services.authentication,
        tls=services.tls,
        audit=services.audit,
        checks=services.readiness.findings(),
        warnings=[*services.warnings, *of_keys],
        replicas=_replicas(services.audit_log),
        last_backup=_last(services.audit_log, principal, "backup_create"),
        last_drill=_last(services.audit_log, principal, "backup_drill"),
        keys=keys,
        audit_records=records,
        audit_bytes=size,
    )


def _replicas(log: AuditLog) -> list[Replica]:
    """Return the replicas whose processes gave a sign of life, and the one that answers, by their names.

    A process gives one each ``AUDIT_CHECKPOINT_SECONDS``, from its first record on.
    """
    at = log.clock()
    seen = {
        writer.host: Replica(writer.host, writer.version, writer.seen_at)
        for writer in sorted(log.living(at), key=lambda writer: writer.seen_at)
    }
    own = socket.gethostname()
    seen.setdefault(own, Replica(own, __version__, at))
    return sorted(seen.values(), key=lambda replica: replica.replica or "")


def _last(log: AuditLog, principal: Principal, operation: str) -> FoundRecord | None:
    query = AuditQuery({"operation": operation}, limit=1)
    return next(iter(search_log(log.records, log.key, principal, query).records), None)
