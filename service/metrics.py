"""What Prometheus sees.  Under gunicorn the workers share a folder, so any of them answers for all.

gunicorn.conf.py names that folder in ``PROMETHEUS_MULTIPROC_DIR`` before this module is imported:
prometheus_client decides at import how it keeps values.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

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

from .errors import Tampered, UnknownKey
from .models import DrillResult

CONTENT_TYPE = CONTENT_TYPE_LATEST

requests = Counter("vault_http_requests_total", "Requests answered.", ["method", "route", "status"])
latency = Histogram(
    "vault_http_request_duration_seconds",
    "Time from the request's head to its answer.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
crypto_failures = Counter("vault_crypto_failures_total", "Stored records that did not open.", ["reason"])
# There from the start: of one that begins at 1 Prometheus sees no increase.
for _error in (Tampered, UnknownKey):
    crypto_failures.labels(_error.reason)
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


def exposition(scraped: Iterable[GaugeMetricFamily] = ()) -> bytes:
    """Return all values of all workers in Prometheus's text format, and those read for this scrape."""
    return _counted() + _scraped(scraped)


def _counted() -> bytes:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    # The library's collector is not annotated.
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def _scraped(families: Iterable[GaugeMetricFamily]) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Scraped(list(families)))
    return generate_latest(registry)


class _Scraped(Collector):
    # A gauge of the library would leave its value in the workers' folder as well, where it gets old.
    def __init__(self, families: list[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> Iterator[GaugeMetricFamily]:
        return iter(self._families)


def ready(checks: Mapping[str, bool]) -> Iterator[GaugeMetricFamily]:
    """Yield what came of the checks of ``/readyz``; without a database none of them passes."""
    yield _by_label(
        "vault_ready", "Whether this check of /readyz passes: 1, or 0 if not.", "check", checks.items()
    )


def certificates(expiry: Mapping[str, datetime]) -> Iterator[GaugeMetricFamily]:
    """Yield when certificates end, by what they are for."""
    yield _by_label(
        "vault_certificate_expiry_timestamp_seconds",
        "When a certificate ends that the service shows to its callers or to MongoDB.",
        "certificate",
        ((name, at.timestamp()) for name, at in expiry.items()),
    )


def wraps(reserved: Mapping[str, int], primary: str, limit: int) -> Iterator[GaugeMetricFamily]:
    """Yield how often each master key may have wrapped, by all processes that ever ran."""
    family = GaugeMetricFamily(
        "vault_key_wraps_reserved",
        "Wraps that a master key may have made, over all processes and for good.",
        labels=["key_id", "primary"],
    )
    for key_id, count in reserved.items():
        family.add_metric([key_id, str(key_id == primary).lower()], count)
    yield family
    yield GaugeMetricFamily("vault_key_wraps_limit", "Wraps that a master key may make at most.", limit)


def disk(used: int, size: int) -> Iterator[GaugeMetricFamily]:
    """Yield how full the disk of the database is."""
    what = "of the file system that holds the data of MongoDB's primary."
    yield GaugeMetricFamily("vault_database_disk_used_bytes", f"Used bytes {what}", used)
    yield GaugeMetricFamily("vault_database_disk_size_bytes", f"Size {what}", size)


def drill(result: DrillResult) -> Iterator[GaugeMetricFamily]:
    """Yield what came of the last restore drill: no worker counts that, all find it in the database."""
    name = "vault_restore_drill_"
    at = result.finished_at.timestamp()
    yield GaugeMetricFamily(name + "timestamp_seconds", "When the last restore drill ended.", at)
    whole = "Whether it restored the backup whole and every record opened."
    yield GaugeMetricFamily(name + "success", whole, result.success)
    yield GaugeMetricFamily(name + "records", "How many records it tried to open.", result.records)
    yield GaugeMetricFamily(name + "failed_records", "How many did not open.", result.failed)
    if result.made_at is not None:
        shown = "The point in time that its backup shows."
        yield GaugeMetricFamily(name + "backup_timestamp_seconds", shown, result.made_at.timestamp())


def _by_label(
    name: str, documentation: str, label: str, values: Iterable[tuple[str, float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, documentation, labels=[label])
    for key, value in values:
        family.add_metric([key], value)
    return family
