"""api.shares.qr_code: the QR code of a new link has its address, and nothing else sees the link again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import segno
from flask.testing import FlaskClient

from tests.calls import SHARE, post

WANTED = {"for": "Grace", "secret": "YQ==", "qr": True}
PUBLIC = "https://vault.example.org"


def encoded(url: str) -> list[str]:
    """Return the modules as the library itself writes them, without its quiet zone."""
    code = segno.make(url, error="m", micro=False)
    assert code.error in ("M", "Q", "H")
    return ["".join(map(str, row)) for row in code.matrix_iter(border=0)]


def create(client: FlaskClient, body: Any = None, **headers: str) -> dict[str, Any]:
    """Create a share."""
    answer = client.post(SHARE + "create", json=body or WANTED, headers=headers)
    assert 200 == answer.status_code, answer.text
    return dict(answer.json)


def test_has_the_public_address(make_client: Callable[..., FlaskClient]) -> None:
    """Whatever the request says; square, of a size that QR codes have."""
    created = create(make_client(PUBLIC_URL=PUBLIC), Origin="https://elsewhere.example", Host="localhost")

    assert f"{PUBLIC}/share#{created['link']}" == created["url"]
    assert encoded(created["url"]) == created["qr"]
    assert {len(created["qr"])} == {len(row) for row in created["qr"]}
    assert 1 == len(created["qr"]) % 4


@pytest.mark.parametrize(
    ("headers", "origin"),
    [
        ({}, "http://localhost"),
        ({"Host": "127.0.0.1:8000"}, "http://127.0.0.1:8000"),
        ({"Origin": "https://vault.test"}, "https://vault.test"),
        ({"Origin": "https://[::1]:8443"}, "https://[::1]:8443"),
        ({"Origin": "null"}, "http://localhost"),
        ({"Origin": "https://vault.test/path"}, "http://localhost"),
        ({"Origin": "javascript:alert(1)"}, "http://localhost"),
    ],
    ids=str,
)
def test_without_one_it_has_the_origin_of_the_request(
    client: FlaskClient, headers: dict[str, str], origin: str
) -> None:
    """Of browsers what they send as such, behind a proxy too; of others the host."""
    created = create(client, **headers)

    assert encoded(f"{origin}/share#{created['link']}") == created["qr"]
    assert created["url"] is None


def test_there_is_none_unless_it_is_wanted(client: FlaskClient) -> None:
    """Only a true is one."""
    for body in ({}, {"qr": False}):
        assert create(client, {"for": "Grace", "secret": "YQ==", **body})["qr"] is None
    assert 422 == post(client, SHARE + "create", {**WANTED, "qr": "yes"}).status_code
