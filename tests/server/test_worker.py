"""server.worker: clients that send no request take nothing from those that do."""

import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
import requests

from tests.gunicorn_server import Server

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
DRIPS = {
    "head": b"GET /healthz HTTP/1.1\r\nX-Slow: " + b"y" * 1000,
    "body": b"POST /vault/secret/fetch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: 1000\r\n\r\n" + b" " * 1000,
}


@pytest.fixture(autouse=True, scope="module")
def many_files() -> Iterator[None]:
    """Let this process, and the servers that it starts, have some thousand sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def dripping(server: Server, count: int, data: bytes, at_once: int) -> Iterator[None]:
    """Have so many clients send ``at_once`` bytes, and then a byte a second each."""
    stop = threading.Event()
    with ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port))) for _ in range(count)
        ]
        for client in clients:
            client.sendall(data[:at_once])

        def drip() -> None:
            for byte in data[at_once:]:
                if stop.wait(1):
                    return
                for client in clients:
                    try:
                        client.send(bytes([byte]))
                    except OSError:
                        continue  # refused after its time

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def slowest(server: Server, seconds: float) -> float:
    """Call for so long, and return the longest time that a caller waited."""
    secret_id = server.create().json()["secret_id"]
    longest, end = 0.0, time.monotonic() + seconds
    while time.monotonic() < end:
        for call in (lambda: server.fetch(secret_id), lambda: server.wait_until("/healthz")):
            started = time.monotonic()
            assert 200 == call().status_code
            longest = max(longest, time.monotonic() - started)
            time.sleep(0.05)
    return longest


@pytest.mark.parametrize("part", DRIPS)
def test_clients_that_drip_delay_nobody(serve: Callable[..., Server], part: str) -> None:
    """With eight times as many of them as places, in the head or in the body."""
    server = serve(WORKERS="1")
    server.wait_until()
    data = DRIPS[part]

    with dripping(server, 500, data, data.find(b"\r\n\r\n") + 4 if part == "body" else 20):
        assert slowest(server, 2) < 2


def test_idle_connections_keep_nobody_out(serve: Callable[..., Server]) -> None:
    """Beyond its thousand connections, a worker closes the one that has been silent for longest."""
    server = serve(WORKERS="1")
    server.wait_until()

    with ExitStack() as stack:
        idle = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=20))
            for _ in range(1100)
        ]
        assert slowest(server, 1) < 2
        idle[-1].sendall(HEALTH)
        assert idle[-1].recv(100).startswith(b"HTTP/1.1 200 ")
        assert b"" == idle[0].recv(100)


def test_requests_in_one_piece_are_answered_in_order(standing_server: Server) -> None:
    """What follows a request in the same packet is the next one, also after a body in chunks."""
    chunked = (
        b"POST /vault/secret/create/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}   \r\n0\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", standing_server.port), timeout=20) as connection:
        connection.sendall(HEALTH + chunked + HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        answer = b""
        while received := connection.recv(65536):
            answer += received

    assert [b"200", b"422", b"200"] == [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]]


def test_waits_for_the_body_only_if_it_is_wanted(standing_server: Server) -> None:
    """A client that asks first is told to go on, or is refused before it has sent anything."""
    head = (
        b"POST /vault/secret/create/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", standing_server.port), timeout=20) as connection:
        connection.sendall(head % 2)
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert connection.recv(100).startswith(b"HTTP/1.1 422 ")
    with socket.create_connection(("127.0.0.1", standing_server.port), timeout=20) as connection:
        connection.sendall(head % 10**9)
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_request_on_a_kept_connection_is_answered_during_the_stop(serve: Callable[..., Server]) -> None:
    """Its client cannot know of the stop: the answer says that the connection ends."""
    server = serve(WORKERS="1")
    server.wait_until()
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=20) as busy,
        socket.create_connection(("127.0.0.1", server.port), timeout=20) as silent,
    ):
        for connection in (busy, silent):
            connection.sendall(HEALTH)
            assert b"Connection: keep-alive" in connection.recv(65536)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        busy.sendall(HEALTH)
        answer = busy.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"Connection: close" in answer
        assert b"" == silent.recv(100)

    assert 0 == server.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{server.url}/healthz", timeout=5)


def test_headers_of_proxies_mean_nothing(standing_server: Server) -> None:
    """gunicorn would believe them from loopback: the scheme, and where the application is mounted."""
    headers = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Ssl": "on",
        "SCRIPT_NAME": "/vault",
        "PATH_INFO": "/readyz",
    }

    answer = requests.get(f"{standing_server.url}/healthz", headers=headers, timeout=10)

    assert (200, {"status": "ok"}) == (answer.status_code, answer.json())
    assert "Strict-Transport-Security" not in answer.headers
