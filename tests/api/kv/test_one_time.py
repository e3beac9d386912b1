"""api.kv: one read is one read, whoever asks for it, how and how often; with two real servers."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import requests
from pymongo.database import Database

from tests.gunicorn_server import LAST, Server

CLIENTS, ROUNDS = 100, 3


@pytest.fixture
def servers(serve: Callable[..., Server]) -> list[Server]:
    """Two servers, ready."""
    servers = [serve(LOG_LEVEL="WARNING") for _ in range(2)]
    for server in servers:
        server.wait_until()
    return servers


def create_limited(server: Server, path: str, max_reads: int = 1) -> None:
    """Create a secret that can be read as often as that."""
    body = {"secret": "aHVudGVyMg==", "path": path, "max_reads": max_reads}
    assert 200 == server.post("/vault/secret/create/", body).status_code


def send(server: Server, method: str, path: str) -> requests.Response:
    """Send a request of a client."""
    return requests.request(method, f"{server.url}/v1/{path}", headers=LAST, timeout=60)


@pytest.mark.timeout(600)
def test_of_many_clients_one_gets_it(servers: list[Server], database: Database) -> None:
    """In each round; every second client asks by HEAD first, and all ask for metadata, which are no reads."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        for turn in range(ROUNDS):
            path = f"once-{turn}"
            create_limited(servers[0], path)
            start = Barrier(CLIENTS)

            def read(number: int, path: str = path, start: Barrier = start) -> requests.Response:
                server = servers[number % 2]
                start.wait(60)
                if number // 2 % 2:
                    assert 405 == send(server, "HEAD", f"secret/data/{path}").status_code
                send(server, "GET", f"sys/internal/ui/mounts/secret/{path}")
                send(server, "GET", f"secret/metadata/{path}")
                return send(server, "GET", f"secret/data/{path}")

            answers = list(pool.map(read, range(CLIENTS)))
            successful = [number for number, answer in enumerate(answers) if answer.status_code == 200]
            assert 1 == len(successful)
            assert {"value": "hunter2"} == answers[successful[0]].json()["data"]["data"]
            others = [answer for answer in answers if answer.status_code != 200]
            assert {404: CLIENTS - 1} == Counter(answer.status_code for answer in others)
            assert all("already read at" in answer.json()["errors"][0] for answer in others)

    assert ROUNDS == database.audit_logs.count_documents({"operation": "fetch", "status": "success"})


def test_a_retry_is_another_read(servers: list[Server]) -> None:
    """Whoever does not wait for the answer has used the read up, so that nobody gets it twice."""
    server = servers[0]
    create_limited(server, "twice", max_reads=2)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(b"GET /v1/secret/data/twice HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert connection.recv(1)

    assert 200 == send(server, "GET", "secret/data/twice").status_code
    gone = send(servers[1], "GET", "secret/data/twice")
    assert 404 == gone.status_code
    assert "already read at" in gone.json()["errors"][0]


def test_what_shows_no_value_is_no_read(servers: list[Server]) -> None:
    """And what would have to read the value beside is refused."""
    server = servers[0]
    create_limited(server, "once")

    assert 200 == send(server, "GET", "sys/internal/ui/mounts/secret/once").status_code
    assert 200 == send(server, "GET", "secret/metadata/once").status_code
    assert 200 == send(server, "GET", "secret/metadata?list=true").status_code
    assert 400 == send(server, "GET", "secret/subkeys/once").status_code
    patch = requests.patch(
        f"{server.url}/v1/secret/data/once",
        data='{"data":{}}',
        headers={"Content-Type": "application/merge-patch+json", **LAST},
        timeout=60,
    )
    assert 400 == patch.status_code
    assert 404 == send(server, "GET", "secret/data/once?version=7").status_code
    assert 200 == send(server, "GET", "secret/data/once").status_code
