"""api.caller: an address that the client may have made up is never used."""

from collections.abc import Callable
from ipaddress import ip_network

import pytest
from flask.testing import FlaskClient

from service.api.caller import client_address
from tests.calls import OF_CALLERS

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "expected"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        ("192.0.2.1", "nonsense", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7:4711", "198.51.100.7"),
        ("10.0.0.1", "198.51.100.7:4711, 10.0.0.2:80", "198.51.100.7"),
        ("10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("10.0.0.1", "[2001:db8::7]", "2001:db8::7"),
        # Whose request it is nobody knows: not the proxy's, and not anybody's to the left.
        ("10.0.0.1", "198.51.100.7, nonsense", "unknown"),
        ("10.0.0.1", "198.51.100.7,", "unknown"),
        ("10.0.0.1", "", "unknown"),
        ("10.0.0.1", "unknown", "unknown"),
        ("10.0.0.1", "_hidden", "unknown"),
        ("10.0.0.1", "198.51.100.7:", "unknown"),
        ("10.0.0.1", "198.51.100.7:http", "unknown"),
        ("10.0.0.1", "[198.51.100.7]:80", "unknown"),
        ("10.0.0.1", "2001:db8::7]:80", "unknown"),
        ("10.0.0.1", f"fe80::1%{'x' * 3000}", "unknown"),
        ("10.0.0.1", "nonsense, 10.0.0.2", "unknown"),
        ("fe80::1%eth0", None, "fe80::1"),
        ("::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("", "198.51.100.7", "unknown"),
    ],
)
def test_uses_only_addresses_from_trusted_proxies(
    peer: str, forwarded_for: str | None, expected: str
) -> None:
    """The header is read from the right, one trusted hop after the other."""
    assert expected == client_address(peer, forwarded_for, TRUSTED)


def test_trusts_no_proxy_by_default() -> None:
    """Without TRUSTED_PROXIES the header is ignored."""
    assert "10.0.0.1" == client_address("10.0.0.1", "198.51.100.7", ())


@pytest.mark.parametrize("given", ["abc-DEF_1.2", "3f0f7b52-7a3c-4b52-9a53-0a7d4bb2f7b1", "x" * 64])
def test_keeps_a_valid_request_id(client: FlaskClient, given: str) -> None:
    """So that a caller can find its request in the log."""
    assert given == client.get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"]


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "{}", 'a"', "é"])
def test_replaces_an_invalid_request_id(client: FlaskClient, given: str) -> None:
    """Characters that could break a log line, or too many of them."""
    answered = client.get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"]

    assert answered != given
    assert 32 == len(answered)


def test_the_audit_record_has_that_address(make_client: Callable[..., FlaskClient], database) -> None:
    """From a trusted proxy the forwarded one, otherwise the peer's."""
    for trusted, expected in (("127.0.0.0/8", "198.51.100.7"), ("", "127.0.0.1")):
        database.audit_logs.delete_many({})
        make_client(TRUSTED_PROXIES=trusted).post(
            "/vault/secret/create/", json={"secret": ""}, headers={"X-Forwarded-For": "198.51.100.7"}
        )
        assert [expected] == [record["client_ip"] for record in database.audit_logs.find(OF_CALLERS)]
