"""``/vault/status``: the service at a glance, for auditors and administrators."""

from __future__ import annotations

from http import HTTPStatus

from ...errors import Forbidden
from ...status import ServiceStatus, service_status
from ..blueprint import JsonBlueprint
from ..dependencies import dependencies
from ..error_docs import COMMON_ERRORS, documents_errors
from ..fields import EXAMPLE_TIME
from ..guard import Call, guarded
from . import schemas

blueprint = JsonBlueprint("status", __name__, url_prefix="/vault", description="The service at a glance.")

_EXAMPLE = {
    "version": "1.0.0",
    "replica": "3f2a9c1b7d04",
    "authentication": True,
    "tls": True,
    "audit": True,
    "checks": {"database": "ok", "keys": "ok", "audit": "ok"},
    "warnings": [],
    "replicas": [{"replica": "3f2a9c1b7d04", "version": "1.0.0", "last_seen": EXAMPLE_TIME}],
    "last_backup": {"at": EXAMPLE_TIME, "status": "success", "reason": None, "authentic": True},
    "last_drill": None,
    "keys": [{"key_id": "4cb1ad3f2c0e9b17", "primary": True, "wraps": 2224}],
    "audit_records": 1200,
    "audit_bytes": 450560,
}


@blueprint.post("/status")
@guarded(blueprint, "status")
@blueprint.response(200, schemas.StatusResponse, example=_EXAMPLE)
@documents_errors(
    blueprint, {**COMMON_ERRORS, HTTPStatus.FORBIDDEN: Forbidden("the token lacks a scope for this: audit")}
)
def status(call: Call) -> ServiceStatus:
    """Show version, checks, replicas, the last backup and restore drill, keys, and the size of the log.

    For the scope `audit` or `admin`. It counts nothing, so it takes milliseconds whatever is stored.
    """
    with dependencies().request_deadline():
        return service_status(dependencies().status, call.principal)
