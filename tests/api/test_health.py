"""api.health: readiness shows which protections are off, and only some networks see metrics."""

import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database

from service import readiness
from service.app import create_app
from service.crypto.aead import key_id_of
from service.dev.mongod import EmbeddedMongo
from service.environment import Environment
from service.models import now
from service.settings import Settings
from service.store.store import Store
from tests.calls import ask, id_of
from tests.certificates import Authority
from tests.conftest import MASTER_KEY, variables


def test_warns_of_protections_that_are_off(
    make_client: Callable[..., FlaskClient], authority: Authority
) -> None:
    """With everything on there are no warnings."""
    file = str(authority.issue("readyz"))
    tls = {"TLS_CERT_FILE": file, "TLS_KEY_FILE": file}

    unprotected = make_client(AUTH_REQUIRED="false", AUDIT_ENABLED="false")
    assert ["authentication is off", "TLS is off", "the audit log is off"] == [
        warning.split(":")[0] for warning in unprotected.get("/readyz").json["warnings"]
    ]
    assert [] == make_client(AUTH_REQUIRED="true", **tls).get("/readyz").json["warnings"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/docs", "/openapi.json"])
def test_health_and_documentation_need_no_token(guarded: FlaskClient, path: str) -> None:
    """Orchestrators and readers of the documentation have none."""
    with guarded.get(path) as answer:
        assert 200 == answer.status_code


@pytest.mark.parametrize(
    ("networks", "address", "status"),
    [
        (None, "127.0.0.1", 200),
        (None, "127.9.9.9", 200),
        (None, "::1", 200),
        (None, "::ffff:127.0.0.1", 200),
        (None, "192.0.2.1", 403),
        (None, "2001:db8::1", 403),
        (None, "", 403),
        ("", "127.0.0.1", 403),
        ("192.0.2.0/24", "192.0.2.1", 200),
        ("192.0.2.0/24", "127.0.0.1", 403),
        ("0.0.0.0/0", "2001:db8::1", 403),
    ],
)
def test_shows_metrics_to_some_networks_only(
    make_client: Callable[..., FlaskClient], networks: str | None, address: str, status: int
) -> None:
    """Loopback by default; the refusal contains no metrics."""
    client = make_client(AUTH_REQUIRED="true", METRICS_NETWORKS=networks)

    answer = client.get("/metrics", environ_overrides={"REMOTE_ADDR": address})

    assert (status, status == 200) == (answer.status_code, "vault_http" in answer.text)


def test_behind_a_proxy_the_client_s_address_decides_about_metrics(
    make_client: Callable[..., FlaskClient],
) -> None:
    """A proxy on the same machine does not open them to everyone, trusted or not."""
    behind = make_client(TRUSTED_PROXIES="127.0.0.1")
    direct = make_client()
    forwarded = {"X-Forwarded-For": "192.0.2.1"}

    assert 403 == behind.get("/metrics", headers=forwarded).status_code
    assert 200 == behind.get("/metrics").status_code
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
        assert 403 == direct.get("/metrics", headers={header: "127.0.0.1"}).status_code
    # It forwards the request, and does not say for whom.
    assert 403 == behind.get("/metrics", headers={"Via": "1.1 proxy"}).status_code
    assert 403 == behind.get("/metrics", headers={"X-Forwarded-For": "unknown"}).status_code
    forged = direct.get(
        "/metrics",
        headers={"X-Forwarded-For": "127.0.0.1"},
        environ_overrides={"REMOTE_ADDR": "192.0.2.1"},
    )
    assert 403 == forged.status_code


def scrape(client: FlaskClient) -> dict[str, float]:
    """Return the samples at /metrics by name and labels."""
    lines = (line for line in client.get("/metrics").text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_metrics_include_what_is_in_the_database(client: FlaskClient, store: Store) -> None:
    """Readiness, the wraps of each key by all processes, and the database's disk."""
    key, other = key_id_of(MASTER_KEY).hex(), 16 * "7"
    store.keys.reserve(other, 5)
    ask(client, "create/", secret="YQ==")

    samples = scrape(client)

    assert [1, 1, 1] == [samples[f'vault_ready{{check="{name}"}}'] for name in ("database", "keys", "audit")]
    assert 1024 == samples[f'vault_key_wraps_reserved{{key_id="{key}",primary="true"}}']
    assert 5 == samples[f'vault_key_wraps_reserved{{key_id="{other}",primary="false"}}']
    assert 2**32 == samples["vault_key_wraps_limit"]
    assert 0 < samples["vault_database_disk_used_bytes"] < samples["vault_database_disk_size_bytes"]
    assert not [name for name in samples if "certificate" in name]


def test_metrics_show_which_check_fails(client: FlaskClient, database: Database) -> None:
    """The other checks and metrics are still there."""
    ask(client, "create/", secret="YQ==")
    database.command("collMod", "audit_logs", validator={"never": {"$exists": True}})

    samples = scrape(client)

    assert [1, 1, 0] == [samples[f'vault_ready{{check="{name}"}}'] for name in ("database", "keys", "audit")]
    assert "vault_key_wraps_limit" in samples


def test_metrics_show_when_certificates_expire(
    make_client: Callable[..., FlaskClient], authority: Authority
) -> None:
    """As they were at startup."""
    api = str(authority.issue("scraped", until=timedelta(days=3)))
    client = make_client(TLS_CERT_FILE=api, TLS_KEY_FILE=api)

    name = 'vault_certificate_expiry_timestamp_seconds{certificate="api"}'
    assert abs(scrape(client)[name] - time.time() - 3 * 86_400) < 60


def test_metrics_arrive_in_time_without_a_database(
    own_mongo: EmbeddedMongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before Prometheus's timeout, even if MONGO_TIMEOUT_SECONDS is longer."""
    monkeypatch.setattr(readiness, "_VALID_SECONDS", 0)
    slow = variables(own_mongo) | {"MONGO_TIMEOUT_SECONDS": "30"}
    client = create_app(Settings.from_environment(Environment(slow))).test_client()
    ask(client, "create/", secret="YQ==")
    client.get("/metrics")
    os.kill(own_mongo.process.pid, signal.SIGSTOP)
    start = time.monotonic()

    samples = scrape(client)
    os.kill(own_mongo.process.pid, signal.SIGCONT)

    assert time.monotonic() - start < 8
    assert [0, 0, 0] == [samples[f'vault_ready{{check="{name}"}}'] for name in ("database", "keys", "audit")]
    assert any(name.startswith("vault_http_requests_total") for name in samples)
    assert not [name for name in samples if "wraps_limit" in name or "disk" in name]


def test_metrics_show_which_drivers_tokens_expire_next(
    guarded: FlaskClient, store: Store, give: Callable[..., str]
) -> None:
    """The twenty that do so first; without those that never do, were revoked, or may not deliver."""
    tokens = [give("deliver:*", expires_in=3600 * (hours + 1)) for hours in range(22)]
    give("deliver:team/*")
    give("fetch:*", expires_in=60)
    store.tokens.revoke([id_of(tokens[0])], now())

    found = {
        name: value
        for name, value in scrape(guarded).items()
        if name.startswith("vault_driver_token_expiry_timestamp_seconds")
    }

    assert [
        f'vault_driver_token_expiry_timestamp_seconds{{token_id="{id_of(token)}"}}' for token in tokens[1:21]
    ] == sorted(found, key=lambda name: found[name])
    assert abs(min(found.values()) - time.time() - 7200) < 60
