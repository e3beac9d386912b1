"""``/healthz``, ``/readyz`` and ``/metrics``: what orchestrators and Prometheus ask."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from http import HTTPStatus

from flask import Response
from flask_smorest import Blueprint
from prometheus_client.metrics_core import GaugeMetricFamily

from .. import metrics
from ..errors import Forbidden, StoreUnavailable
from ..keys.wrap_counter import MAX_WRAPS
from ..store.database import deadline_in
from . import common_schemas, problems
from .caller import client_ip, within
from .dependencies import Dependencies, dependencies
from .error_docs import documents_errors

blueprint = Blueprint("operations", __name__, description="For orchestrators and Prometheus.")
# Prometheus gives a scrape 10 s unless told otherwise, and loses all of it then.
_SCRAPE_SECONDS = 5
_FOREIGN_NETWORK = "metrics are for the networks in METRICS_NETWORKS, loopback by default"


@blueprint.get("/healthz")
@blueprint.response(200, common_schemas.Health, example={"status": "ok"})
def healthz() -> dict[str, str]:
    """Tell that the process runs.

    It says nothing of the database: restarting this process would not bring that back.
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
    """Tell whether this process can serve.

    The database has a primary, the key ring opens what is stored, the audit log can be written.
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
@blueprint.response(
    200, {"type": "string"}, content_type="text/plain", description="Prometheus's text format."
)
@documents_errors(blueprint, {HTTPStatus.FORBIDDEN: Forbidden(_FOREIGN_NETWORK)})
def exposition() -> Response:
    """Show counters and latencies of all workers of this replica, to the networks that may see them."""
    if not within(client_ip(), dependencies().metrics_networks):
        raise Forbidden(_FOREIGN_NETWORK)
    return Response(metrics.exposition(_read_for_scrape()), content_type=metrics.CONTENT_TYPE)


def _read_for_scrape() -> list[GaugeMetricFamily]:
    """Return what no worker counts; of what is in the database, as much as it tells in time."""
    parts = dependencies()
    found = list(metrics.certificates(parts.certificate_expiry))
    with parts.request_deadline(), deadline_in(_SCRAPE_SECONDS):
        checks = parts.readiness.findings()
        found += metrics.ready({name: finding == "ok" for name, finding in checks.items()})
        for read in (_last_drill, _wraps, _disk):
            with suppress(StoreUnavailable):
                found += read(parts)
    return found


def _last_drill(parts: Dependencies) -> Iterable[GaugeMetricFamily]:
    return () if (result := parts.last_drill()) is None else metrics.drill(result)


def _wraps(parts: Dependencies) -> Iterable[GaugeMetricFamily]:
    primary, *_ = parts.keys.ring.key_ids
    return metrics.wraps(parts.keys.store.registered(), primary, MAX_WRAPS)


def _disk(parts: Dependencies) -> Iterable[GaugeMetricFamily]:
    return () if (usage := parts.disk_usage()) is None else metrics.disk(usage.used, usage.size)
