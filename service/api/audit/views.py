"""``/vault/audit``: search and verify the audit log."""

from __future__ import annotations

import time
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from ...access import policy
from ...approles.names import names
from ...audit.findings import Finding
from ...audit.search import AuditQuery, search_log
from ...audit.verify import verify_log
from ...errors import Forbidden
from ...models import Action
from ..blueprint import JsonBlueprint
from ..dependencies import dependencies
from ..error_docs import COMMON_ERRORS, documents_errors
from ..fields import EXAMPLE_ID, EXAMPLE_PATH, EXAMPLE_TIME
from ..guard import Call, guarded
from . import schemas

blueprint = JsonBlueprint("audit", __name__, url_prefix="/vault/audit", description="The audit log.")

_FAILURES = {**COMMON_ERRORS, HTTPStatus.FORBIDDEN: Forbidden("the token lacks a scope for this: audit")}
_RECORDS_PER_PAUSE = 100
# Not zero: with zero, gevent would resume this greenlet before it polls the other connections.
_PAUSE_SECONDS = 0.0001
_RECORD = {
    "record_id": "67a1b2c30a1b2c3d4e5f6071:000000000042",
    "timestamp": EXAMPLE_TIME,
    "operation": "fetch",
    "secret_id": EXAMPLE_ID,
    "path": EXAMPLE_PATH,
    "new_path": None,
    "token_id": None,
    "grant_id": None,
    "version": None,
    "service": None,
    "service_id": None,
    "task_id": None,
    "node_id": None,
    "docker_secret": None,
    "api": None,
    "role_id": None,
    "accessor": None,
    "client_ip": "192.0.2.7",
    "status": "success",
    "reason": None,
    "count": None,
    "actor": "0f3a5b7c9d1e2f40",
    "request_id": "5f0c7e0a4d5b4c0f8a35b1a8e3f1c2d4",
    "authentic": True,
}
_REPORT = {
    "fine": True,
    "records": 1200,
    "chains": 4,
    "open": 2,
    "expired": 0,
    "unchained": 0,
    "checkpoints": 60,
    "anchors": [{"kind": "volume", "checkpoint": 60, "compared": 1}],
    "found": {},
    "findings": [],
}


@blueprint.post("/search")
@guarded(blueprint, "audit_search")
@blueprint.arguments(schemas.SearchRequest, example={"path": EXAMPLE_PATH, "operation": "fetch"})
@blueprint.response(200, schemas.SearchResponse, example={"records": [_RECORD], "cursor": None})
@documents_errors(blueprint, _FAILURES)
def search(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Find audit records by time, actor, operation, secret, address, status, or service, newest first.

    With the scope `audit:team/*`, only records about such paths; of a move from or to elsewhere, the other
    path is null.

    Each record on the page is checked: `authentic` is false for one that the service did not write, or not
    with this content. Whether any are missing, only a verification shows.
    """
    with_names = body.pop("names", False)
    query = AuditQuery(
        since=body.pop("since", None),
        until=body.pop("until", None),
        cursor=body.pop("cursor", None),
        limit=body.pop("limit", 100),
        equal=body,
    )
    log = dependencies().audit_log
    with dependencies().request_deadline():
        page = search_log(log.records, log.key, call.principal, query)
        actors = [actor for found in page.records for actor in (found.record.actor, found.record.token_id)]
        named = {"names": names(dependencies().approles, actors)} if with_names else {}
    records = [
        {"record_id": found.record_id, **asdict(found.record), "authentic": found.authentic}
        for found in page.records
    ]
    return {"records": records, "cursor": page.cursor} | named


@blueprint.post("/verify")
@guarded(blueprint, "audit_verify")
@blueprint.arguments(schemas.VerifyRequest, example={})
@blueprint.response(200, schemas.VerifyResponse, example=_REPORT)
@documents_errors(blueprint, _FAILURES)
def verify(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Verify the whole audit log.

    Checks every record, every link of every chain, and the end of every chain against the checkpoints: those
    in the database, the one that the node keeps, and those of the request. With
    millions of records it takes about a minute, and a replica does one at a time; `python -m service audit
    verify` does the same and shows its progress.
    """
    findings: list[Finding] = []

    def keep(finding: Finding) -> None:
        if len(findings) < schemas.MAX_FINDINGS:
            findings.append(finding)

    # No deadline for the whole request: each database operation has its own, and a long log needs many.
    saved = body.get("checkpoints", [])
    # First, so that a caller who may not verify is not told to wait.
    policy.require(call.principal, Action.AUDIT)
    with dependencies().verification.hold():
        report = verify_log(dependencies().audit_log, call.principal, saved, keep, _yield_processor)
    return {**asdict(report), "fine": report.valid, "findings": findings}


def _yield_processor(records: int) -> None:
    """Pause regularly: a greenlet keeps the processor until it waits for something."""
    if records % _RECORDS_PER_PAUSE == 0:
        time.sleep(_PAUSE_SECONDS)
