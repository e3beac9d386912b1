"""gunicorn.conf.py and server.worker: the production server, with real processes and sockets."""

import base64
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from pymongo.database import Database

from tests.calls import OF_CALLERS
from tests.gunicorn_server import ROOT, Server

CREATE_HEAD = b"POST /vault/secret/create/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def test_concurrent_responses_are_never_mixed_up(server: Server, database: Database) -> None:
    """Each caller gets its own value, under its own request id, and causes two records per round."""
    rounds, callers = 15, 16

    def call(caller: int) -> None:
        with requests.Session() as session:
            for number in range(rounds):
                value = f"caller {caller} round {number} {os.urandom(64).hex()}".encode()
                headers = {"X-Request-ID": f"{caller}-{number}"}
                created = session.post(
                    f"{server.url}/vault/secret/create/",
                    json={"secret": base64.b64encode(value).decode()},
                    headers=headers,
                    timeout=60,
                )
                assert 200 == created.status_code, created.text
                fetched = session.post(
                    f"{server.url}/vault/secret/fetch",
                    json={"secret_id": created.json()["secret_id"]},
                    headers=headers,
                    timeout=60,
                )
                assert value == base64.b64decode(fetched.json()["secret"])
                assert f"{caller}-{number}" == fetched.headers["X-Request-ID"]

    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(call, range(callers)))

    assert rounds * callers == database.secrets.count_documents({})
    assert 2 * rounds * callers == database.audit_logs.count_documents({"status": "success", **OF_CALLERS})
    assert rounds * callers == len(database.audit_logs.distinct("request_id", OF_CALLERS))


def test_metrics_cover_all_workers(server: Server) -> None:
    """Any worker returns the totals of all of them."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: server.create(), range(40)))
    counted = 'vault_http_requests_total{method="POST",route="/vault/secret/create/",status="200"} 40.0'

    for _ in range(10):
        text = requests.get(f"{server.url}/metrics", timeout=10).text
        assert counted in text
        assert 'vault_http_request_duration_seconds_count{route="/vault/secret/create/"} 40.0' in text
        (wraps,) = [line for line in text.splitlines() if line.startswith("vault_key_wraps_total")]
        # Plus the data key of the canary and the key of the audit log.
        assert wraps.endswith(" 42.0")


def test_a_killed_worker_is_replaced_and_its_counters_stay(server: Server) -> None:
    """The service continues, and counters do not decrease."""
    for _ in range(5):
        server.create()
    before = server.workers()
    for worker in before:
        os.kill(worker, signal.SIGKILL)

    end = time.monotonic() + 30
    while (len(server.workers()) < 2 or set(server.workers()) & set(before)) and time.monotonic() < end:
        time.sleep(0.1)
    server.wait_until()

    assert 200 == server.create().status_code
    text = requests.get(f"{server.url}/metrics", timeout=10).text
    assert 'vault_http_requests_total{method="POST",route="/vault/secret/create/",status="200"} 6.0' in text


def test_a_worker_that_is_told_to_stop_as_it_starts_stops(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    """And is not waited for until it is killed."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, time; os.register_at_fork(after_in_child=lambda: time.sleep(1))"
    )
    server = serve(PYTHONPATH=str(tmp_path))
    server.wait_until()
    server.process.send_signal(signal.SIGTTIN)
    end = time.monotonic() + 30
    while len(server.workers()) < 3 and time.monotonic() < end:
        time.sleep(0.01)

    assert 0 == server.stop()

    assert 3 == len([line for line in server.log_lines() if line["message"].startswith("Worker exiting")])


def test_logs_one_json_line_per_request(server: Server) -> None:
    """With the response's request id, and with the route instead of the path."""
    response = server.create(headers={"X-Request-ID": "find-me"})
    requests.get(f"{server.url}/some/path?with=query", timeout=10)
    server.stop()

    lines = [line for line in server.log_lines() if line["message"] == "request"]
    (mine,) = [line for line in lines if line["request_id"] == "find-me"]
    assert ("POST", "/vault/secret/create/", 200, "127.0.0.1") == (
        mine["method"],
        mine["route"],
        mine["status"],
        mine["client_ip"],
    )
    assert "find-me" == response.headers["X-Request-ID"]
    assert "unmatched" in [line["route"] for line in lines]
    assert "some/path" not in server.log.read_text()


@pytest.mark.parametrize("head", [b"Content-Length: 1000000000", b"Transfer-Encoding: chunked"])
def test_stops_reading_a_body_that_is_too_large(standing_server: Server, head: bytes) -> None:
    """The response arrives while most of the body is still unsent."""
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n" if b"chunked" in head else b"x" * 65536

    with socket.create_connection(("127.0.0.1", standing_server.port), timeout=20) as connection:
        connection.sendall(CREATE_HEAD + head + b"\r\n\r\n")
        connection.sendall(chunk * 12)
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nBad Header: x\r\n\r\n", 400),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", 431),
        (CREATE_HEAD + b"Transfer-Encoding: chunked\r\n\r\nno-chunk\r\n", 400),
    ],
    ids=lambda value: repr(value[:20]) if isinstance(value, bytes) else str(value),
)
def test_answers_malformed_http_with_a_problem_document(
    standing_server: Server, request_line: bytes, status: int
) -> None:
    """Even though it never reaches the application."""
    with socket.create_connection(("127.0.0.1", standing_server.port), timeout=20) as connection:
        connection.sendall(request_line)
        answer = b""
        while received := connection.recv(65536):
            answer += received

    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"application/problem+json" in answer
    assert b'"type": "about:blank"' in answer or b'"type": "/problems/malformed-json"' in answer


def test_finishes_requests_in_flight_and_accepts_no_new_ones(serve: Callable[..., Server]) -> None:
    """SIGTERM during a request: its response arrives, the port closes, the exit code is 0."""
    server = serve(WORKERS="1")
    server.wait_until()
    body = b'{"secret": "aGVsbG8="}'
    answer: list[bytes] = []

    def call_slowly() -> None:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            connection.sendall(CREATE_HEAD + b"Content-Length: %d\r\n\r\n" % len(body))
            time.sleep(1.5)
            connection.sendall(body)
            answer.append(connection.recv(65536))

    caller = threading.Thread(target=call_slowly)
    caller.start()
    time.sleep(0.5)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{server.url}/healthz", timeout=5)
    caller.join()

    assert answer[0].startswith(b"HTTP/1.1 200 "), answer
    assert 0 == server.stop()


def test_replicas_can_start_at_the_same_time(serve: Callable[..., Server], database: Database) -> None:
    """Three servers on an empty database: one canary, all ready, all read the same secret."""
    servers = [serve(AUDIT_TTL_DAYS="30") for _ in range(3)]
    for server in servers:
        server.wait_until()
    secret_id = servers[0].create().json()["secret_id"]

    assert ["aGVsbG8="] * 3 == [server.fetch(secret_id).json()["secret"] for server in servers]
    assert 1 == database.meta.count_documents({"_id": "canary"})
    assert 30 * 86_400 == database.audit_logs.index_information()["timestamp_1"]["expireAfterSeconds"]


def test_starts_from_any_folder(environment: dict[str, str], tmp_path: Path) -> None:
    """The package is found beside the settings."""
    server = Server(environment, tmp_path / "log", folder=tmp_path)
    try:
        server.wait_until()
    finally:
        assert 0 == server.stop()


def test_runs_but_is_not_ready_with_the_wrong_key(serve: Callable[..., Server]) -> None:
    """It serves nothing, and names the key that it lacks."""
    right = serve()
    right.wait_until()
    secret_id = right.create().json()["secret_id"]

    wrong = serve(MASTER_KEY=base64.b64encode(bytes(32)).decode())
    wrong.wait_until("/healthz")
    problem = wrong.wait_until(status=503).json()

    assert "not ready: keys, audit" == problem["detail"]
    assert "sealed under master key" in problem["checks"]["keys"]
    assert 503 == wrong.fetch(secret_id).status_code
    assert any("not ready" in line["message"] for line in wrong.log_lines())


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"MASTER_KEY": None}, "MASTER_KEY is not set; make one with"),
        ({"MASTER_KEY": "hunter2"}, "MASTER_KEY takes base64 of 32 bytes"),
        ({"MASTER_KEY_FILE": "/dev/null"}, "MASTER_KEY and MASTER_KEY_FILE are both set"),
        ({"MASTER_KEY": None, "MASTER_KEY_FILE": "/nowhere"}, "cannot read /nowhere: No such file"),
        ({"MASTER_KEY": None, "MASTER_KEYS_DIR": "/nowhere"}, "MASTER_KEYS_DIR: cannot read /nowhere"),
        ({"AUDIT_TTL_DAYS": "soon"}, "AUDIT_TTL_DAYS is not a whole number"),
        ({"MAX_SECRET_BYTES": "-1"}, "MAX_SECRET_BYTES is not a whole number"),
        ({"TRUSTED_PROXIES": "proxy"}, "TRUSTED_PROXIES takes networks"),
        ({"AUTH_REQUIRED": "perhaps"}, "AUTH_REQUIRED is neither true nor false"),
        ({"MONGO_URI": "mongodb://:hunter2@"}, "MONGO_URI is not a usable MongoDB connection string"),
        ({"LISTEN": "everywhere"}, "LISTEN takes an address and a port"),
    ],
    ids=str,
)
def test_refuses_an_invalid_configuration_in_one_line(
    refuse: Callable[..., str], changed: dict[str, str | None], says: str
) -> None:
    """One line that says what to do, a non-zero exit code, and never the value."""
    line = refuse(**changed)

    assert says in line
    assert "hunter2" not in line


def test_refuses_to_start_in_the_packages_folder(refuse: Callable[..., str]) -> None:
    """Modules there have the names of Python's own."""
    assert "start gunicorn in another folder, such as " in refuse(ROOT / "service")


def test_fails_if_the_database_does_not_become_reachable(refuse: Callable[..., str]) -> None:
    """After STARTUP_TIMEOUT_SECONDS."""
    line = refuse(MONGO_URI="mongodb://127.0.0.1:9", STARTUP_TIMEOUT_SECONDS="3", MONGO_TIMEOUT_SECONDS="1")

    assert "MongoDB was not reachable for 3 s" in line
