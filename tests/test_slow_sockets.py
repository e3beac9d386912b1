"""Clients that send a byte a second, for most of a minute: they delay nobody, and no health check fails.

The longest of the tests that need no cluster, so it has a file of its own: others run beside it.
"""

import contextlib
import itertools
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import requests

from tests.gunicorn_server import From, Server

CLIENTS = 500
SECONDS = 50
MAX_SECONDS = 2
DRIPPERS = "127.0.0.1"
HEAD = b"GET /healthz HTTP/1.1\r\nX-Slow: y"
BODY = (
    b"POST /vault/secret/fetch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: 1000\r\n\r\n"
)


@pytest.fixture(autouse=True)
def many_files() -> Iterator[None]:
    """Let this process have all the sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def dripping(server: Server) -> Iterator[None]:
    """Drip heads and bodies from one address, on so many sockets, and connect again when one is closed."""
    stop = threading.Event()

    def connect(start: bytes) -> socket.socket:
        client = socket.create_connection(
            ("127.0.0.1", server.port), timeout=20, source_address=(DRIPPERS, 0)
        )
        client.sendall(start)
        return client

    def drip() -> None:
        starts = [start for start, _ in zip(itertools.cycle((HEAD, BODY)), range(CLIENTS), strict=False)]
        clients = [connect(start) for start in starts]
        while not stop.wait(1):
            for number, client in enumerate(clients):
                try:
                    client.send(b"y" if starts[number] == HEAD else b" ")
                except OSError:
                    client.close()
                    with contextlib.suppress(OSError):
                        clients[number] = connect(starts[number])
        for client in clients:
            client.close()

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def timed(server: Server, address: str, secret_id: str | None) -> float:
    """Call /healthz, or fetch a secret, on a new connection from this address; return how long it took."""
    with requests.Session() as session:
        session.mount("http://", From(address))
        started = time.monotonic()
        if secret_id is None:
            answer = session.get(f"{server.url}/healthz", timeout=20)
        else:
            body = {"secret_id": secret_id}
            answer = session.post(f"{server.url}/vault/secret/fetch", json=body, timeout=20)
        assert 200 == answer.status_code
        return time.monotonic() - started


@pytest.mark.timeout(200)
def test_slow_sockets_delay_nobody(serve: Callable[..., Server]) -> None:
    """Whether the caller has another address or the same: every probe and every fetch is fast.

    Compared with the same call of a server that nobody disturbs, as the machine may be busy with other tests.
    """
    server, undisturbed = serve(), serve()
    for each in (server, undisturbed):
        each.wait_until()
    secret_id = server.create().json()["secret_id"]
    longest = 0.0

    with dripping(server), ThreadPoolExecutor(1) as thread:
        time.sleep(1)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            for address, wanted in itertools.product(("127.0.0.2", DRIPPERS), (None, secret_id)):
                beside = thread.submit(timed, undisturbed, address, wanted)
                seconds = timed(server, address, wanted)
                longest = max(longest, seconds - beside.result())
            time.sleep(0.1)

    assert longest < MAX_SECONDS
