"""Use case: verify that the audit log is as it was written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ..access import policy
from ..errors import Tampered
from ..models import Action, Principal
from . import anchors, checkpoints, expected_heads
from .checkpointer import LOST_AFTER, AuditLog
from .findings import Finding, FindingKind, Findings, Report
from .verifier import Verifier, WriterLiveness


def verify_log(
    audit_log: AuditLog,
    principal: Principal,
    saved: Sequence[Mapping[str, Any]],
    report_finding: Callable[[Finding], None],
    progress: Callable[[int], None] = lambda _records: None,
) -> Report:
    """Verify the whole log while it is being written; each finding is reported at once.

    ``saved`` are checkpoints from outside the database, from the service's own log or the manifests of
    backups.  Like the one in this node's anchor, they also reveal records that were deleted together with
    every checkpoint that covers them.

    Raises:
        Forbidden: the caller may not audit.
        StoreUnavailable: the database did not answer.
        CannotDecrypt: the audit key cannot be opened.
    """
    policy.require(principal, Action.AUDIT)
    opened = audit_log.key.reopen()
    report = Report()
    findings = Findings(report, report_finding)
    # The anchor comes first: a checkpoint that is made meanwhile is in the database before it is here.
    outside = expected_heads.Outside(
        {"volume": _kept(audit_log, findings), "given": saved},
        anchors.accepted_until(audit_log, opened.keys),
    )
    at = audit_log.clock()
    chains = expected_heads.load(
        opened.keys, audit_log.checkpoints.all, outside, audit_log.expired_before(at), report, findings
    )
    liveness = WriterLiveness(
        alive=frozenset(audit_log.alive(at)),
        lost_before=at - LOST_AFTER * audit_log.interval,
        min_uptime=2 * LOST_AFTER * audit_log.interval,
    )
    run = Verifier(opened.keys, chains, liveness, report, findings)
    run.run(audit_log.records.chained(), progress)
    for record_id, written_at in audit_log.records.unchained():
        if _is_from_before(written_at, opened.unchained_until):
            report.unchained += 1
        else:
            findings.add(
                FindingKind.UNCHAINED,
                str(record_id)[:80],
                "in no chain, although it was written when every record had to be in one",
                before=written_at if isinstance(written_at, datetime) else None,
            )
    return report


def _kept(audit_log: AuditLog, findings: Findings) -> Sequence[Mapping[str, Any]]:
    """Return the checkpoint in this node's anchor, if there is one."""
    try:
        kept = None if audit_log.anchor is None else audit_log.anchor.read()
    except Tampered as error:
        findings.add(FindingKind.ALTERED, "anchor", str(error))
        return []
    return [] if kept is None else [checkpoints.to_json(kept)]


def _is_from_before(written_at: object, until: datetime | None) -> bool:
    return until is not None and isinstance(written_at, datetime) and written_at <= until
