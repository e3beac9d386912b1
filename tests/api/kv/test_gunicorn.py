"""api.kv behind the production server: methods, answers without a body, several processes, and its log."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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


def test_one_of_many_unwraps_across_processes(
    serve: Callable[..., Server], give: Callable[..., str], session: requests.Session
) -> None:
    """And neither what was wrapped nor what it was got with is in the log, not even at DEBUG."""
    server = serve(LOG_LEVEL="DEBUG", AUTH_REQUIRED="true")
    server.wait_until()
    admin = give("admin")

    def put(path: str, body: Any, token: str | None = None, **headers: str) -> requests.Response:
        own = {} if token is None else {"X-Vault-Token": token}
        return requests.put(f"{server.url}/v1/{path}", json=body, headers=own | headers, timeout=60)

    native = {"Authorization": f"Bearer {admin}"}
    role_id = session.post(
        f"{server.url}/vault/approle/create", json={"name": "ci", "scopes": ["fetch:*"]}, headers=native
    ).json()["role_id"]
    secret_id = session.post(
        f"{server.url}/vault/approle/secret-id/create", json={"role": "ci"}, headers=native
    ).json()["secret_id"]
    login = put("auth/approle/login", {"role_id": role_id, "secret_id": secret_id}).json()["auth"]
    assert 400 == put("auth/approle/login", {"role_id": "ci", "secret_id": secret_id}).status_code
    wrapped = put("sys/wrapping/wrap", {"x": "hunter2"}, admin, **{"X-Vault-Wrap-TTL": "60"}).json()
    token = wrapped["wrap_info"]["token"]
    assert 200 == put("sys/wrapping/lookup", {"token": token}).status_code

    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda _: put("sys/wrapping/unwrap", None, token), range(24)))

    assert [{"x": "hunter2"}] == [each.json()["data"] for each in answers if each.status_code == 200]
    assert {200, 400} == {each.status_code for each in answers}
    put("auth/token/revoke", {"token": login["client_token"]}, admin)
    log = server.log.read_text()
    assert '"route": "/v1/sys/wrapping/unwrap"' in log
    for text in ("hunter2", secret_id, token, login["client_token"], admin):
        assert text.split("_")[-1][:64] not in log
