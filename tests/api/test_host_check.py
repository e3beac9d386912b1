"""api.host_check: a name that somebody else can point here opens nothing."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from service.api import host_check

FOREIGN = [
    "rebound.example",
    "rebound.example:8000",
    "127.0.0.1.example",
    "localhost.example",
    "127.0.0.1@rebound.example",
    "rebound.example.",
    "[rebound.example]:80",
    "",
]
LOOPBACK = ["127.0.0.1", "127.9.9.9", "[::1]", "localhost", "LOCALHOST", "vault.localhost"]
OWN = [
    "127.0.0.1",
    "127.0.0.1:8000",
    "[::1]:8000",
    "192.0.2.7:8000",
    "localhost",
    "LOCALHOST:8000",
    "vault.localhost",
    "secret-manager_api:8000",
    "vault.example.org",
    "Vault.Example.org:8000",
]


@pytest.mark.parametrize(("hosts", "status"), [(FOREIGN, 421), (OWN, 200)], ids=["foreign", "own"])
def test_without_authentication_only_own_names_are_answered(
    make_client: Callable[..., FlaskClient], hosts: list[str], status: int
) -> None:
    """For every route, and before anything is done."""
    client = make_client(AUTH_REQUIRED="false", ALLOWED_HOSTS="vault.example.org")

    for host in hosts:
        answers = [
            client.get("/healthz", headers={"Host": host}),
            client.post("/vault/secret/create/", json={"secret": ""}, headers={"Host": host}),
        ]
        assert [status] * 2 == [answer.status_code for answer in answers], host
        assert ("/problems/unexpected-host" == answers[1].get_json().get("type")) is (status == 421)


@pytest.mark.parametrize(
    ("host", "port", "tls", "is_own"),
    [
        *((f"{name}:8000", 8000, False, True) for name in LOOPBACK),
        *((f"{name}:8001", 8000, False, False) for name in LOOPBACK),
        *((name, 8000, False, False) for name in LOOPBACK),
        *((name, 80, False, True) for name in LOOPBACK),
        *((name, 443, True, True) for name in LOOPBACK),
        *((name, 443, False, False) for name in LOOPBACK),
        ("localhost:80", 80, False, True),
        ("localhost:08000", 8000, False, False),
        ("localhost:8000:8000", 8000, False, False),
        ("192.0.2.7:8000", 8000, False, False),
        ("[2001:db8::1]:8000", 8000, False, False),
        ("secret-manager_api:8000", 8000, False, False),
        ("0.0.0.0:8000", 8000, False, False),
        ("vault.example.org", 8000, False, True),
        ("Vault.Example.org:9000", 8000, False, True),
        *((host, 8000, False, False) for host in FOREIGN),
        *((f"{host}:8000", 8000, False, False) for host in FOREIGN),
    ],
)
def test_dev_is_for_this_machine_only(host: str, port: int, tls: bool, is_own: bool) -> None:
    """By its own names and with its own port; others can be allowed."""
    allowed = frozenset({"vault.example.org"})

    assert is_own == host_check.is_of_this_machine(host, allowed, port, tls=tls)


def test_with_authentication_any_name_will_do(make_client: Callable[..., FlaskClient]) -> None:
    """A page that has no token can do nothing with the answer."""
    client = make_client(AUTH_REQUIRED="true")

    assert 200 == client.get("/healthz", headers={"Host": "rebound.example"}).status_code
