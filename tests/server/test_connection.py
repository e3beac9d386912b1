"""server.connection: a slow client takes a bounded time, and delays no other client."""

import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pymongo import MongoClient

from service.dev.mongod import EmbeddedMongo
from tests import databases
from tests.certificates import Authority
from tests.conftest import variables
from tests.gunicorn_server import Server

CREATE = b"POST /vault/secret/create/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
SECONDS = 2
# The limit of two seconds, with a margin for a loaded machine.
MAX_SECONDS = 8
# One process with four threads: four slow clients would occupy all of them.
SMALL = {"WORKERS": "1", "THREADS": "4", "REQUEST_TIMEOUT_SECONDS": str(SECONDS)}


@pytest.fixture(scope="module", params=["http", "https"])
def small(
    request: pytest.FixtureRequest,
    authority: Authority,
    mongo: EmbeddedMongo,
    mongo_client: MongoClient,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """A server with four threads and a short timeout, with and without TLS."""
    ca: Path | None = None
    changed = variables(mongo) | SMALL
    if request.param == "https":
        ca, file = authority.file, str(authority.issue("small"))
        changed |= {"TLS_CERT_FILE": file, "TLS_KEY_FILE": file}
    databases.empty(mongo_client, indexed=False)
    server = Server(changed, tmp_path_factory.mktemp("gunicorn") / "log", ca)
    try:
        server.wait_until()
        yield server
    finally:
        server.stop()


def connect(server: Server, stack: ExitStack, *, shake: bool = True) -> socket.socket:
    """Return a connection, over TLS if the server speaks it."""
    connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30))
    if shake and isinstance(server.verify, str):
        context = ssl.create_default_context(cafile=server.verify)
        connection = stack.enter_context(context.wrap_socket(connection, server_hostname="127.0.0.1"))
    return connection


def trickle(connection: socket.socket, data: bytes) -> float:
    """Send a byte every 100 ms until the server closes; return the seconds it took."""
    started = time.monotonic()
    try:
        for byte in data * 1000:
            connection.sendall(bytes([byte]))
            time.sleep(0.1)
            if time.monotonic() - started > MAX_SECONDS * 2:
                break
    except OSError:
        pass
    return time.monotonic() - started


def read_to_end(connection: socket.socket) -> bytes:
    """Return everything that the server sends before it closes."""
    answer = b""
    try:
        while received := connection.recv(65536):
            answer += received
    except (ConnectionResetError, ssl.SSLError):
        pass
    return answer


def test_silent_connections_block_no_other_client(small: Server) -> None:
    """With far more of them than threads, the next caller is served at once."""
    with ExitStack() as stack:
        for _ in range(40):
            connect(small, stack, shake=False)
        time.sleep(0.5)
        started = time.monotonic()
        assert 200 == small.create().status_code
        assert time.monotonic() - started < SECONDS


def test_headers_that_do_not_end_time_out(small: Server) -> None:
    """Sending a byte from time to time does not extend the deadline."""
    with ExitStack() as stack:
        connection = connect(small, stack)
        assert trickle(connection, b"GET /healthz HTTP/1.1\r\nX: y" + b"y" * 500) < MAX_SECONDS


def test_incomplete_headers_get_a_408(small: Server) -> None:
    """As a problem document that says why."""
    with ExitStack() as stack:
        connection = connect(small, stack)
        connection.sendall(CREATE)
        answer = read_to_end(connection)

    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"the request did not arrive in time" in answer


def test_an_incomplete_body_times_out(small: Server) -> None:
    """One response and the end of the connection, also for a chunked body."""
    for head in (b"Content-Length: 100\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"):
        with ExitStack() as stack:
            connection = connect(small, stack)
            started = time.monotonic()
            connection.sendall(CREATE + head)
            answer = read_to_end(connection)

        assert answer.startswith(b"HTTP/1.1 400 ")
        assert 1 == answer.count(b"HTTP/1.1")
        assert time.monotonic() - started < MAX_SECONDS


def test_all_threads_are_free_again_after_the_timeout(small: Server) -> None:
    """With as many slow clients as threads, the next caller waits no longer than the timeout."""
    with ExitStack() as stack:
        for _ in range(4):
            connect(small, stack).sendall(CREATE + b"Content-Length: 100\r\n\r\n{")
        time.sleep(0.3)
        started = time.monotonic()
        assert 200 == small.create().status_code
        assert time.monotonic() - started < MAX_SECONDS


@pytest.mark.parametrize("small", ["https"], indirect=True)
def test_a_handshake_that_does_not_end_times_out(small: Server) -> None:
    """Its first byte occupies a thread, but not for longer than the timeout."""
    with ExitStack() as stack:
        slow = [connect(small, stack, shake=False) for _ in range(4)]
        threads = [threading.Thread(target=trickle, args=(each, b"\x16\x03\x01\x01\x00")) for each in slow]
        for thread in threads:
            thread.start()
        started = time.monotonic()
        assert 200 == small.create().status_code
        assert time.monotonic() - started < MAX_SECONDS
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("small", ["https"], indirect=True)
def test_a_tls_record_that_does_not_end_times_out(small: Server) -> None:
    """TLS delivers data only in whole records: single bytes of a record do not extend the deadline."""
    with ExitStack() as stack:
        connection = connect(small, stack)
        assert isinstance(connection, ssl.SSLSocket)
        plain = stack.enter_context(socket.socket(fileno=os.dup(connection.fileno())))
        # Application data of 16 KiB (RFC 8446 section 5.2).
        plain.sendall(b"\x17\x03\x03\x40\x00")
        assert trickle(plain, b"\x00") < MAX_SECONDS


def test_a_client_that_does_not_close_delays_no_other_client(small: Server) -> None:
    """Without our worker, gunicorn waits two seconds for each, in the thread that accepts connections."""
    with ExitStack() as stack:
        for _ in range(3):
            connection = connect(small, stack)
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
            started = time.monotonic()
            assert 200 == small.create().status_code
            assert time.monotonic() - started < 1


def test_a_slow_but_steady_client_is_served(small: Server) -> None:
    """The deadline is for the whole request; one that arrives in time is answered."""
    body = b'{"secret": "aGVsbG8="}'
    with ExitStack() as stack:
        connection = connect(small, stack)
        connection.sendall(CREATE + b"Content-Length: %d\r\n\r\n" % len(body))
        for byte in body:
            connection.sendall(bytes([byte]))
            time.sleep(0.03)
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")


def test_every_request_on_a_connection_has_the_full_time(small: Server) -> None:
    """The deadline counts from each request, not from the connection."""
    with ExitStack() as stack:
        connection = connect(small, stack)
        for _ in range(4):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while not answer.endswith(b"}\n"):
                received = connection.recv(65536)
                assert received
                answer += received
            assert answer.startswith(b"HTTP/1.1 200 ")
            time.sleep(SECONDS * 0.4)
