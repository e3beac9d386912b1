"""api.kv behind the production server: methods, answers without a body, several processes, and its log."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.gunicorn_server import Server


@pytest.fixture
def session() -> Any:
    """A connection that is kept, as clients keep theirs."""
    with requests.Session() as session:
        yield session


def test_serves_clients(
    serve: Callable[..., Server], give: Callable[..., str], session: requests.Session
) -> None:
    """Over one connection, in turn: nothing is left of one answer for the next."""
    server = serve(LOG_LEVEL="DEBUG", AUTH_REQUIRED="true")
    server.wait_until()
    token = give("admin")
    session.headers["X-Vault-Token"] = token

    def send(method: str, path: str, **options: Any) -> requests.Response:
        return session.request(method, f"{server.url}/v1/{path}", timeout=60, **options)

    for _ in range(3):
        assert 200 == send("PUT", "secret/data/hidden/name", data='{"data":{"x":"hunter2"}}').status_code
        assert ["name"] == send("LIST", "secret/metadata/hidden").json()["data"]["keys"]
        assert {"x": "hunter2"} == send("GET", "secret/data/hidden/name").json()["data"]["data"]
        deleted = send("DELETE", "secret/data/hidden/name")
        assert (204, b"") == (deleted.status_code, deleted.content)
        health = send("HEAD", "sys/health")
        assert (200, b"") == (health.status_code, health.content)
        assert 405 == send("HEAD", "secret/data/hidden/name").status_code
        assert 404 == send("GET", "secret/data/hidden/name").status_code
        assert 405 == send("BREW", "secret/data/hidden/name").status_code

    log = server.log.read_text()
    assert '"route": "/v1/<mount>/data/<path>"' in log
    for text in ("hunter2", "hidden", token):
        assert text not in log


def test_options_of_a_mount_hold_in_every_process(server: Server, session: requests.Session) -> None:
    """Once the change is answered; all had read them a moment ago."""
    data = f"{server.url}/v1/secret/data/a"
    for _ in range(20):
        assert 200 == requests.put(data, data='{"data":{}}', timeout=60).status_code

    changed = session.put(f"{server.url}/v1/secret/config", data='{"cas_required":true}', timeout=60)

    assert 204 == changed.status_code
    assert {400} == {requests.put(data, data='{"data":{}}', timeout=60).status_code for _ in range(20)}
