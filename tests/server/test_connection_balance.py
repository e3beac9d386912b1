"""seats: connections that arrive at once are shared out among the workers."""

import socket
from collections.abc import Callable
from pathlib import Path

from service.server.connection_balance import WorkerSlots
from tests.gunicorn_server import Server

MANY = 60


def test_who_has_more_is_ahead() -> None:
    """Of those that take connections; and a seat that was left is another's."""
    seats = WorkerSlots()
    one, other = seats.claim(), seats.claim()
    assert not one.has_surplus()
    one.update(1)
    assert one.has_surplus()
    assert not other.has_surplus()

    other.release()
    assert not one.has_surplus()
    assert not seats.claim().has_surplus()
    assert one.has_surplus()


def test_no_worker_takes_them_all(serve: Callable[..., Server]) -> None:
    """Clients that keep their connections keep all processes busy."""
    server = serve(WORKERS="2")
    server.wait_until()
    before = [connections(worker) for worker in server.workers()]
    clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(MANY)]
    try:
        for client in clients:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n")
        for client in clients:
            assert client.recv(12) == b"HTTP/1.1 200"
        taken = [connections(worker) - less for worker, less in zip(server.workers(), before, strict=True)]
    finally:
        for client in clients:
            client.close()

    # As many each, but for a machine that is too busy to let both of them run.
    assert min(taken) >= MANY // 10


def connections(worker: int) -> int:
    """Return how many sockets a process holds."""
    return sum(file.readlink().name.startswith("socket:") for file in Path(f"/proc/{worker}/fd").iterdir())
