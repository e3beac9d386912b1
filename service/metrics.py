"""What Prometheus sees.  Under gunicorn the workers share a folder, so any of them answers for all.

gunicorn.conf.py names that folder in ``PROMETHEUS_MULTIPROC_DIR`` before this module is imported:
prometheus_client decides at import how it keeps values.
"""

from __future__ import annotations

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = CONTENT_TYPE_LATEST

requests = Counter("vault_http_requests_total", "Requests answered.", ["method", "route", "status"])
latency = Histogram(
    "vault_http_request_duration_seconds",
    "Time from the request's head to its answer.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
crypto_failures = Counter("vault_crypto_failures_total", "Stored records that did not open.", ["reason"])
audit_failures = Counter(
    "vault_audit_failures_total", "Answers withheld because their audit record could not be written."
)
audit_records = Gauge("vault_audit_records", "Records in the audit log.", multiprocess_mode="mostrecent")
audit_bytes = Gauge(
    "vault_audit_bytes", "What the audit log and its indexes take on disk.", multiprocess_mode="mostrecent"
)
audit_checkpoint = Gauge(
    "vault_audit_checkpoint_timestamp_seconds",
    "When the newest checkpoint of the audit log was made by this replica.",
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
