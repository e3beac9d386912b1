"""api.health: readiness shows which protections are off, and only some networks see metrics."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.certificates import Authority


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
    """A proxy on the same machine does not open them to everyone; others' headers are ignored."""
    behind = make_client(TRUSTED_PROXIES="127.0.0.1")
    direct = make_client()
    forwarded = {"X-Forwarded-For": "192.0.2.1"}

    assert 403 == behind.get("/metrics", headers=forwarded).status_code
    assert 200 == behind.get("/metrics").status_code
    assert 200 == direct.get("/metrics", headers=forwarded).status_code
    forged = direct.get(
        "/metrics",
        headers={"X-Forwarded-For": "127.0.0.1"},
        environ_overrides={"REMOTE_ADDR": "192.0.2.1"},
    )
    assert 403 == forged.status_code
