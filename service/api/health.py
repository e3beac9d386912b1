"""``/healthz``, ``/readyz`` and ``/metrics``, for orchestrators and Prometheus."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from http import HTTPStatus

from flask import Response
from prometheus_client.metrics_core import GaugeMetricFamily

from .. import metrics
from ..audit import anchors
from ..errors import CannotDecrypt, Forbidden, StoreUnavailable
from ..keys import text_keys
from ..keys.wrap_counter import MAX_WRAPS
from ..models import Action
from ..store.database import deadline_in
from . import common_schemas, problems
from .blueprint import JsonBlueprint
from .caller import is_from
from .dependencies import Dependencies, dependencies
from .error_docs import documents_errors

blueprint = JsonBlueprint("operations", __name__, description="For orchestrators and Prometheus.")

# Less than Prometheus's default timeout of 10 s, after which it discards the whole scrape.
_SCRAPE_SECONDS = 5
# Each is a time series.
_MAX_TOKENS_SHOWN = 20
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
    return {"status": "ready", "checks": checks, "warnings": _warnings(dependencies())}


def _warnings(services: Dependencies) -> list[str]:
    # A key may have been added to the ring since the start.
    of_keys = [text_keys.WARNING] if text_keys.text_key_ids(services.keys.ring) else []
    return [*services.warnings, *of_keys]


@blueprint.get("/metrics")
@blueprint.response(200, {"type": "string"}, content_type="text/plain", description="Prometheus text format.")
@documents_errors(blueprint, {HTTPStatus.FORBIDDEN: Forbidden(_METRICS_FORBIDDEN)})
def exposition() -> Response:
    """Return the metrics of all workers of this replica; only for networks in METRICS_NETWORKS."""
    if not is_from(dependencies().metrics_networks):
        raise Forbidden(_METRICS_FORBIDDEN)
    return Response(metrics.exposition(_read_for_scrape()), content_type=metrics.CONTENT_TYPE)


def _read_for_scrape() -> list[GaugeMetricFamily]:
    """Return the metrics that no worker counts; without those that the database does not return in time."""
    services = dependencies()
    families = list(metrics.certificates(services.certificate_expiry))
    families += metrics.text_keys(len(text_keys.text_key_ids(services.keys.ring)))
    with services.request_deadline(), deadline_in(_SCRAPE_SECONDS):
        checks = services.readiness.findings()
        families += metrics.ready({name: finding == "ok" for name, finding in checks.items()})
        for read in (_last_drill, _wraps, _disk, _audit_log, _anchor, _driver_tokens):
            # Without the database or the audit key all other metrics are still available.
            with suppress(StoreUnavailable, CannotDecrypt):
                families += read(services)
    return families


def _last_drill(services: Dependencies) -> Iterable[GaugeMetricFamily]:
    return () if (result := services.last_drill()) is None else metrics.drill(result)


def _wraps(services: Dependencies) -> Iterable[GaugeMetricFamily]:
    primary, *_ = services.keys.ring.key_ids
    return metrics.wraps(services.keys.store.registered(), primary, MAX_WRAPS)


def _audit_log(services: Dependencies) -> Iterable[GaugeMetricFamily]:
    newest = anchors.newest_checkpoint(services.audit_log)
    return (
        () if newest is None else metrics.audit_log(newest.number, services.audit_log.checkpoints.records())
    )


def _anchor(services: Dependencies) -> Iterable[GaugeMetricFamily]:
    problem = anchors.state(services.audit_log)
    return () if problem is None else metrics.anchor(intact=not problem)


def _driver_tokens(services: Dependencies) -> Iterable[GaugeMetricFamily]:
    ends = services.tokens.store.next_ends(Action.DELIVER, services.secrets.clock(), _MAX_TOKENS_SHOWN)
    return metrics.driver_tokens(ends)


def _disk(services: Dependencies) -> Iterable[GaugeMetricFamily]:
    return () if (usage := services.disk_usage()) is None else metrics.disk(usage.used, usage.size)
