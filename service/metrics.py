"""Prometheus metrics.  Under gunicorn the workers share a folder, so each answers for all of them.

gunicorn.conf.py sets ``PROMETHEUS_MULTIPROC_DIR`` to that folder before this module is imported:
prometheus_client decides at import how it stores values.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from .models import DrillResult

CONTENT_TYPE = CONTENT_TYPE_LATEST

requests = Counter("vault_http_requests_total", "Requests answered.", ["method", "route", "status"])
latency = Histogram(
    "vault_http_request_duration_seconds",
    "Time from the request's headers to the response.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
crypto_failures = Counter(
    "vault_crypto_failures_total", "Stored records that could not be opened.", ["reason"]
)
audit_failures = Counter(
    "vault_audit_failures_total", "Responses withheld because their audit record could not be written."
)
audit_records = Gauge("vault_audit_records", "Records in the audit log.", multiprocess_mode="mostrecent")
audit_bytes = Gauge(
    "vault_audit_bytes", "Size of the audit log and its indexes on disk.", multiprocess_mode="mostrecent"
)
audit_checkpoint = Gauge(
    "vault_audit_checkpoint_timestamp_seconds",
    "When this replica made its newest checkpoint of the audit log.",
    multiprocess_mode="mostrecent",
)
key_wraps = Counter(
    "vault_key_wraps_total",
    "Data keys wrapped since the start, by master key; rotate long before 2^32.",
    ["key_id"],
)


def exposition() -> bytes:
    """Return all values of all workers in Prometheus's text format."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    # The library's collector is not annotated.
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def drill_exposition(result: DrillResult) -> bytes:
    """Return the result of the last restore drill, which is read from the database, not counted."""
    registry = CollectorRegistry()
    registry.register(_Drill(result))
    return generate_latest(registry)


class _Drill(Collector):
    # A Gauge would also keep its value in the workers' shared folder, where it becomes stale.
    def __init__(self, result: DrillResult) -> None:
        self._result = result

    def collect(self) -> Iterator[GaugeMetricFamily]:
        result, name = self._result, "vault_restore_drill_"
        at = result.finished_at.timestamp()
        yield GaugeMetricFamily(name + "timestamp_seconds", "When the last restore drill ended.", at)
        success = "Whether the backup was complete and every record could be opened."
        yield GaugeMetricFamily(name + "success", success, result.success)
        yield GaugeMetricFamily(name + "records", "Records that it tried to open.", result.records)
        yield GaugeMetricFamily(name + "failed_records", "Records that could not be opened.", result.failed)
        if result.made_at is not None:
            backup = "The point in time of the data in the backup."
            yield GaugeMetricFamily(name + "backup_timestamp_seconds", backup, result.made_at.timestamp())
