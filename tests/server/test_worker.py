"""server.worker: clients that send no request take nothing from those that do."""

import base64
import re
import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import requests

from service.dev.mongod import EmbeddedMongo
from tests.gunicorn_server import From, Server

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


def connect(server: Server, address: str = "127.0.0.1") -> socket.socket:
    """Connect from this address of the loopback interface."""
    return socket.create_connection(("127.0.0.1", server.port), timeout=20, source_address=(address, 0))


def answer(connection: socket.socket) -> bytes:
    """Ask for /healthz on a connection, and return the status line with the headers."""
    connection.sendall(HEALTH)
    return connection.recv(65536)


def memory(server: Server) -> int:
    """Return the most memory that the only worker has ever had, in MiB."""
    (worker,) = server.workers()
    status = Path(f"/proc/{worker}/status").read_text()
    return int(re.search(r"VmHWM:\s+([0-9]+) kB", status)[1]) // 1024


def test_one_address_cannot_have_all_connections(serve: Callable[..., Server]) -> None:
    """Beyond a quarter of them, it closes its own that has been silent for longest, and nobody else's."""
    server = serve(WORKERS="1")
    server.wait_until()

    with ExitStack() as stack:
        other = stack.enter_context(connect(server, "127.0.0.2"))
        assert answer(other).startswith(b"HTTP/1.1 200 ")
        many = [stack.enter_context(connect(server)) for _ in range(1100)]
        assert answer(other).startswith(b"HTTP/1.1 200 ")
        for one in (many[-250], many[-1]):
            assert answer(one).startswith(b"HTTP/1.1 200 ")
        assert b"" == many[-251].recv(100)


def test_a_trusted_proxy_may_have_all_connections(serve: Callable[..., Server]) -> None:
    """Whose requests it forwards is not known before they have arrived."""
    server = serve(WORKERS="1", TRUSTED_PROXIES="127.0.0.0/30")
    server.wait_until()

    with ExitStack() as stack:
        for one in [stack.enter_context(connect(server)) for _ in range(400)]:
            assert answer(one).startswith(b"HTTP/1.1 200 ")


def test_one_address_cannot_have_all_places(own_mongo: EmbeddedMongo, serve: Callable[..., Server]) -> None:
    """While its requests wait for the database, another's are answered that need none."""
    server = serve(WORKERS="1", THREADS="4", MONGO_URI=own_mongo.uri, MONGO_TIMEOUT_SECONDS="20")
    server.wait_until()
    own_mongo.process.send_signal(signal.SIGSTOP)
    try:
        with ExitStack() as stack:
            for _ in range(20):
                stack.enter_context(connect(server)).sendall(DRIPS["body"].replace(b"  ", b"{}", 1))
            time.sleep(0.5)
            other = stack.enter_context(connect(server, "127.0.0.2"))
            other.settimeout(2)
            assert answer(other).startswith(b"HTTP/1.1 200 ")
    finally:
        own_mongo.process.send_signal(signal.SIGCONT)


def test_a_head_has_three_seconds(standing_server: Server) -> None:
    """Whatever the rest of a request has, and however steadily its bytes come."""
    with connect(standing_server) as connection:
        started = time.monotonic()
        connection.sendall(DRIPS["head"][:20])
        connection.settimeout(0.2)
        received = b""
        while not received and time.monotonic() - started < 9:
            connection.sendall(b"y")
            with suppress(TimeoutError):
                received = connection.recv(100)
    assert received.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - started < 5


def test_a_head_has_a_limited_length(standing_server: Server) -> None:
    """It is in memory until it is complete, and many headers of a legal length would fill a megabyte."""
    with connect(standing_server) as connection:
        connection.sendall(
            b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 8000) for n in range(4))
        )
        connection.sendall(b"X-5: " + b"y" * 2000)
        assert connection.recv(100).startswith(b"HTTP/1.1 431 ")


def test_bodies_that_do_not_end_take_a_limited_memory(serve: Callable[..., Server]) -> None:
    """Their sum is bounded, and a body from another address still finds room."""
    server = serve(WORKERS="1", MAX_SECRET_BYTES="4194304", REQUEST_TIMEOUT_SECONDS="60")
    server.wait_until()
    length = 5_500_000
    head = DRIPS["body"].replace(b"1000\r\n\r\n" + b" " * 1000, b"%d\r\n\r\n" % length)
    before = memory(server)

    with ExitStack() as stack, ThreadPoolExecutor(1) as thread:
        clients = [stack.enter_context(connect(server)) for _ in range(60)]

        def send_all() -> None:
            for client in clients:
                client.setblocking(False)
            rest = dict.fromkeys(clients, length - 1)
            end = time.monotonic() + 6
            while rest and time.monotonic() < end:
                for client in list(rest):
                    try:
                        rest[client] -= client.send(b" " * min(rest[client], 200_000))
                    except BlockingIOError:
                        continue
                    except OSError:
                        rest[client] = 0
                    if not rest[client]:
                        del rest[client]
                time.sleep(0.005)

        for client in clients:
            client.sendall(head)
        sending = thread.submit(send_all)
        time.sleep(2)
        with requests.Session() as session:
            session.mount("http://", From("127.0.0.2"))
            body = {"secret": base64.b64encode(bytes(4_000_000)).decode()}
            created = session.post(f"{server.url}/vault/secret/create/", json=body, timeout=20)
        assert 200 == created.status_code
        sending.result()

    # They may have 90 MB, and what is read is copied; without a bound they had 460 MiB.
    assert memory(server) - before < 250


def test_a_worker_may_have_files_for_all_its_connections(serve: Callable[..., Server]) -> None:
    """Where a process gets 1024 unless it asks, they would be used up before the connections are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    try:
        server = serve(WORKERS="1")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    server.wait_until("/healthz")
    (worker,) = server.workers()

    assert resource.prlimit(worker, resource.RLIMIT_NOFILE)[0] >= 4096


def test_idle_connections_keep_nobody_out(serve: Callable[..., Server]) -> None:
    """Beyond its thousand connections, those make room of whom there are most: first who was first silent."""
    server = serve(WORKERS="1")
    server.wait_until()

    with ExitStack() as stack:
        idle = [stack.enter_context(connect(server, f"127.0.0.{1 + number % 5}")) for number in range(1100)]
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
