"""``/healthz``, ``/readyz`` and ``/metrics``, for orchestrators and Prometheus."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus

from flask import Response
from flask_smorest import Blueprint

from .. import metrics
from ..errors import Forbidden, StoreUnavailable
from . import common_schemas, problems
from .caller import client_ip, within
from .dependencies import dependencies
from .error_docs import documents_errors

blueprint = Blueprint("operations", __name__, description="For orchestrators and Prometheus.")

_METRICS_FORBIDDEN = "metrics are available only to the networks in METRICS_NETWORKS (default: loopback)"


@blueprint.get("/healthz")
@blueprint.response(200, common_schemas.Health, example={"status": "ok"})
def healthz() -> dict[str, str]:
    """Report that the process is running.

    The database is not checked: restarting this process would not repair it.
    """
    return {"status": "ok"}


@blueprint.get("/readyz")
@blueprint.response(
    200,
    common_schemas.Ready,
    example={"status": "ready", "checks": {"database": "ok", "keys": "ok", "audit": "ok"}, "warnings": []},
)
@blueprint.alt_response(
    503,
    schema=common_schemas.NotReady,
    content_type=problems.CONTENT_TYPE,
    example={
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "not ready: database",
        "request_id": "5f0c7e0a4d5b4c0f8a35b1a8e3f1c2d4",
        "checks": {
            "database": "the database cannot be used now: ServerSelectionTimeoutError",
            "keys": "not checked: the database cannot be used",
            "audit": "not checked: the database cannot be used",
        },
    },
)
def readyz() -> Response | dict[str, object]:
    """Report whether this process can serve.

    Checks that the database has a primary, that the key ring decrypts what is stored, and that the audit log
    can be written.
    """
    with dependencies().request_deadline():
        checks = dependencies().readiness.findings()
    failed = [name for name, finding in checks.items() if finding != "ok"]
    if failed:
        return problems.problem(
            HTTPStatus.SERVICE_UNAVAILABLE, f"not ready: {', '.join(failed)}", checks=checks
        )
    return {"status": "ready", "checks": checks, "warnings": dependencies().warnings}


@blueprint.get("/metrics")
@blueprint.response(200, {"type": "string"}, content_type="text/plain", description="Prometheus text format.")
@documents_errors(blueprint, {HTTPStatus.FORBIDDEN: _METRICS_FORBIDDEN})
def exposition() -> Response:
    """Return the metrics of all workers of this replica; only for networks in METRICS_NETWORKS."""
    if not within(client_ip(), dependencies().metrics_networks):
        raise Forbidden(_METRICS_FORBIDDEN)
    return Response(metrics.exposition() + _last_drill(), content_type=metrics.CONTENT_TYPE)


def _last_drill() -> bytes:
    # Without the database all other metrics are still available.
    with suppress(StoreUnavailable), dependencies().request_deadline():
        if (result := dependencies().last_drill()) is not None:
            return metrics.drill_exposition(result)
    return b""
