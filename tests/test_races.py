"""Two real servers and 64 clients that fetch a secret with a single read, all at the same time."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable

import pytest
from hypothesis import settings
from pymongo.database import Database

from tests.gunicorn_server import Server

CLIENTS, BATCH = 64, 50
# A multiple of BATCH.  More, in minutes: RACE_ROUNDS=1000 pytest tests/test_races.py
ROUNDS = int(os.environ.get("RACE_ROUNDS", BATCH * max(1, settings().max_examples // 30)))


class Client:
    """A persistent connection that sends first and reads later, so that all requests arrive together."""

    def __init__(self, server: Server) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        self._answers = self._socket.makefile("rb")

    def send(self, secret_id: str) -> None:
        """Send a request to fetch a secret."""
        body = json.dumps({"secret_id": secret_id}).encode()
        head = (
            "POST /vault/secret/fetch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._socket.sendall(head.encode() + body)

    def receive(self) -> tuple[int, bytes]:
        """Return the status and the body of the response."""
        status, length = int(self._answers.readline().split()[1]), 0
        while (line := self._answers.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return status, self._answers.read(length)

    def close(self) -> None:
        """Close the connection."""
        self._answers.close()
        self._socket.close()


@pytest.mark.timeout(600)
def test_a_single_read_is_given_to_one_client_only(
    serve: Callable[..., Server], indexed: None, database: Database
) -> None:
    """In each round exactly one client gets the value; all others get a 404 that says it was read."""
    servers = [serve(LOG_LEVEL="WARNING") for _ in range(2)]
    for server in servers:
        server.wait_until()
    secret_ids = [
        created["secret_id"]
        for _ in range(0, ROUNDS, BATCH)
        for created in servers[0]
        .post("/vault/secret/create/batch", {"secrets": [{"secret": "aGVsbG8=", "max_reads": 1}] * BATCH})
        .json()["secrets"]
    ]
    assert ROUNDS == len(set(secret_ids))

    clients = [Client(servers[number % 2]) for number in range(CLIENTS)]
    winners = set()
    try:
        for secret_id in secret_ids:
            for client in clients:
                client.send(secret_id)
            answers = [client.receive() for client in clients]
            successful = [number for number, (status, _) in enumerate(answers) if status == 200]
            assert 1 == len(successful), answers
            assert 1 == sum(b"aGVsbG8=" in body for _, body in answers)
            assert CLIENTS - 1 == sum(status == 404 and b"already read" in body for status, body in answers)
            winners.add(successful[0] % 2)
    finally:
        for client in clients:
            client.close()

    assert {0, 1} == winners, "one server won every round, so there was no race"
    fetches = {"operation": "fetch"}
    assert ROUNDS == database.audit_logs.count_documents({**fetches, "status": "success"})
    assert ROUNDS * (CLIENTS - 1) == database.audit_logs.count_documents(
        {**fetches, "reason": "already read"}
    )
