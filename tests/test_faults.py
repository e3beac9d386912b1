"""Faults of the database while the service runs, and recovery without intervention."""

import base64
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from service.dev.mongod import EmbeddedMongo
from tests.conftest import IMPATIENT, variables
from tests.gunicorn_server import Server

# The operation and its record have MONGO_TIMEOUT_SECONDS each; the rest is for a loaded machine.
LIMIT_SECONDS = 2 * int(IMPATIENT["MONGO_TIMEOUT_SECONDS"]) + 4


@pytest.fixture
def server(own_mongo: EmbeddedMongo, tmp_path: Path) -> Iterator[Server]:
    """A ready server with its own mongod."""
    server = Server(variables(own_mongo) | IMPATIENT, tmp_path / "log")
    server.wait_until()
    yield server
    server.stop()


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hung"])
def test_without_its_database_it_answers_503_in_time_and_recovers(
    own_mongo: EmbeddedMongo, server: Server, fault: signal.Signals
) -> None:
    """503 within the timeout, readiness says why, and afterwards all data is there."""
    secret_id = server.create().json()["secret_id"]
    os.kill(own_mongo.process.pid, fault)

    for call in (server.create, lambda: server.fetch(secret_id)):
        started = time.monotonic()
        response = call()
        assert 503 == response.status_code, response.text
        assert "application/problem+json" == response.headers["Content-Type"]
        assert "aGVsbG8=" not in response.text
        assert "1" == response.headers["Retry-After"]
        assert time.monotonic() - started < LIMIT_SECONDS
    assert "not ready: database, keys, audit" == server.wait_until(status=503).json()["detail"]
    assert 200 == requests.get(f"{server.url}/healthz", timeout=5).status_code

    if fault is signal.SIGSTOP:
        os.kill(own_mongo.process.pid, signal.SIGCONT)
    else:
        own_mongo.process.wait()
        own_mongo.start()
    server.wait_until()
    assert "aGVsbG8=" == server.fetch(secret_id).json()["secret"]
    assert 200 == server.create().status_code


def test_a_server_started_before_its_database_waits_for_it(tmp_path: Path, own_mongo: EmbeddedMongo) -> None:
    """And logs that it is waiting."""
    os.kill(own_mongo.process.pid, signal.SIGKILL)
    own_mongo.process.wait()
    server = Server(variables(own_mongo) | {"STARTUP_TIMEOUT_SECONDS": "60"}, tmp_path / "log")
    try:
        end = time.monotonic() + 30
        while "waiting for MongoDB" not in server.log.read_text() and time.monotonic() < end:
            time.sleep(0.1)
        own_mongo.start()
        server.wait_until()
        assert any("waiting for MongoDB" in line["message"] for line in server.log_lines())
    finally:
        server.stop()


def test_every_acknowledged_secret_survives_a_killed_database(
    own_mongo: EmbeddedMongo, server: Server
) -> None:
    """Acknowledged means on disk: SIGKILL right after the response loses no secret."""
    values = {base64.b64encode(os.urandom(16)).decode() for _ in range(50)}
    stored = {server.create(value).json()["secret_id"]: value for value in values}
    os.kill(own_mongo.process.pid, signal.SIGKILL)
    own_mongo.process.wait()
    own_mongo.start()
    server.wait_until()

    assert stored == {secret_id: server.fetch(secret_id).json()["secret"] for secret_id in stored}
