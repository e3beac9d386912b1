"""Prometheus metrics.  Under gunicorn the workers share a folder, so each answers for all of them.

gunicorn.conf.py opens that folder before this module is imported: prometheus_client decides how it stores a
value when the value's metric is made.  See ``server.metrics_files``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

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

from .errors import (
    Forbidden,
    LimitedReads,
    NoSuchVersion,
    NotGranted,
    SecretDeleted,
    SecretDestroyed,
    SecretExpired,
    SecretNotFound,
    StoreUnavailable,
    Tampered,
    UnknownKey,
)
from .models import DrillResult, TokenEnd

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
# Start at 0: Prometheus sees no increase in a counter whose first value is 1.
for _error in (Tampered, UnknownKey):
    crypto_failures.labels(_error.reason)
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
deliveries = Counter(
    "vault_deliveries_total",
    "Decisions about values for tasks of Swarm services, by outcome: delivered, or why not.  Without checks.",
    ["outcome"],
)
DELIVERED = "delivered"
for _outcome in (
    DELIVERED,
    *(
        error.reason
        for error in (
            *(Forbidden, NotGranted, SecretNotFound, NoSuchVersion, SecretDeleted, SecretExpired),
            *(SecretDestroyed, LimitedReads, StoreUnavailable),
        )
    ),
):
    deliveries.labels(_outcome)
older_deliveries = Counter(
    "vault_deliveries_of_older_versions_total", "Values delivered of a version that was not the newest."
)
driver_unreached = Counter(
    "vault_driver_unreached_total",
    "Calls of the engine for which a Swarm driver did not reach the vault, as it reports afterwards.",
)
key_wraps = Counter(
    "vault_key_wraps_total",
    "Data keys wrapped since the start, by master key; rotate long before 2^32.",
    ["key_id"],
)


def shared_folder() -> Path | None:
    """Return the folder of this replica's processes, or None if this is the only one."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return None if folder is None else Path(folder)


def exposition(scraped: Iterable[GaugeMetricFamily] = ()) -> bytes:
    """Return the metrics of all workers, and those read for this scrape, in Prometheus's text format."""
    return _counted() + _scraped(scraped)


def _counted() -> bytes:
    if shared_folder() is None:
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
    # A Gauge would also keep its value in the workers' shared folder, where it becomes stale.
    def __init__(self, families: list[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> Iterator[GaugeMetricFamily]:
        return iter(self._families)


def ready(checks: Mapping[str, bool]) -> Iterator[GaugeMetricFamily]:
    """Yield the results of the checks of ``/readyz``; without the database all of them fail."""
    yield _by_label(
        "vault_ready", "Whether this check of /readyz passes: 1, or 0 if not.", "check", checks.items()
    )


def certificates(expiry: Mapping[str, datetime]) -> Iterator[GaugeMetricFamily]:
    """Yield the expiry times of certificates, by purpose."""
    yield _by_label(
        "vault_certificate_expiry_timestamp_seconds",
        "When a certificate expires that the service presents to its callers or to MongoDB.",
        "certificate",
        ((name, at.timestamp()) for name, at in expiry.items()),
    )


def text_keys(count: int) -> Iterator[GaugeMetricFamily]:
    """Yield the number of master keys that look like text."""
    yield GaugeMetricFamily(
        "vault_master_keys_of_text",
        "Master keys of this replica that look like text, such as a passphrase, and may be guessed.",
        count,
    )


def wraps(reserved: Mapping[str, int], primary: str, limit: int) -> Iterator[GaugeMetricFamily]:
    """Yield the number of wraps reserved for each master key, over all processes that ever ran."""
    family = GaugeMetricFamily(
        "vault_key_wraps_reserved",
        "Wraps reserved for a master key by all processes since the key was first used.",
        labels=["key_id", "primary"],
    )
    for key_id, count in reserved.items():
        family.add_metric([key_id, str(key_id == primary).lower()], count)
    yield family
    yield GaugeMetricFamily("vault_key_wraps_limit", "Most wraps that a master key may make.", limit)


def audit_log(number: int, records: int) -> Iterator[GaugeMetricFamily]:
    """Yield how far the checkpoints of the audit log go; neither falls unless the log was put back."""
    yield GaugeMetricFamily(
        "vault_audit_checkpoint_number", "Number of the audit log's newest checkpoint; it only grows.", number
    )
    yield GaugeMetricFamily(
        "vault_audit_checkpoint_records",
        "Audit records that checkpoints cover or covered, expired ones included; it only grows.",
        records,
    )


def anchor(intact: bool) -> Iterator[GaugeMetricFamily]:
    """Yield whether the audit log continues the checkpoint that this node keeps."""
    yield GaugeMetricFamily(
        "vault_audit_anchor_intact",
        "Whether the audit log continues the checkpoint in this node's AUDIT_ANCHOR_DIR: 1, or 0 if not.",
        intact,
    )


def disk(used: int, size: int) -> Iterator[GaugeMetricFamily]:
    """Yield the usage of the database's disk."""
    file_system = "of the file system that holds the data of MongoDB's primary."
    yield GaugeMetricFamily("vault_database_disk_used_bytes", f"Used bytes {file_system}", used)
    yield GaugeMetricFamily("vault_database_disk_size_bytes", f"Size {file_system}", size)


def driver_tokens(ends: Iterable[TokenEnd]) -> Iterator[GaugeMetricFamily]:
    """Yield when tokens of Swarm drivers expire, by token."""
    yield _by_label(
        "vault_driver_token_expiry_timestamp_seconds",
        "When a token with a deliver scope expires: the twenty that do so first.  Ended ones are left out.",
        "token_id",
        ((end.token_id, end.expires_at.timestamp()) for end in ends),
    )


def drill(result: DrillResult) -> Iterator[GaugeMetricFamily]:
    """Yield the result of the last restore drill, which is read from the database, not counted."""
    name = "vault_restore_drill_"
    at = result.finished_at.timestamp()
    yield GaugeMetricFamily(name + "timestamp_seconds", "When the last restore drill ended.", at)
    success = "Whether the backup was complete and every record could be opened."
    yield GaugeMetricFamily(name + "success", success, result.success)
    yield GaugeMetricFamily(name + "records", "Records that it tried to open.", result.records)
    yield GaugeMetricFamily(name + "failed_records", "Records that could not be opened.", result.failed)
    if result.made_at is not None:
        backup = "The point in time of the data in the backup."
        yield GaugeMetricFamily(name + "backup_timestamp_seconds", backup, result.made_at.timestamp())


def _by_label(
    name: str, documentation: str, label: str, values: Iterable[tuple[str, float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, documentation, labels=[label])
    for key, value in values:
        family.add_metric([key], value)
    return family
