"""server.connection_balance: connections that arrive together are balanced across the workers."""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from service.server.connection_balance import WorkerSlots
from tests.gunicorn_server import Server

MANY = 60


def test_a_worker_with_more_connections_has_a_surplus() -> None:
    """Compared with workers that accept connections; a released slot can be claimed again."""
    slots = WorkerSlots()
    one, other = slots.claim(), slots.claim()
    assert not one.has_surplus()
    one.update(1)
    assert one.has_surplus()
    assert not other.has_surplus()

    other.release()
    assert not one.has_surplus()
    assert not slots.claim().has_surplus()
    assert one.has_surplus()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can see the sockets of a worker")
def test_no_worker_takes_all_connections(serve: Callable[..., Server]) -> None:
    """Clients that keep their connections use all processes."""
    server = serve(WORKERS="2")
    server.wait_until()
    before = [connections(worker) for worker in server.workers()]
    clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(MANY)]
    try:
        for client in clients:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n")
        for client in clients:
            assert client.recv(12) == b"HTTP/1.1 200"
        taken = [connections(worker) - count for worker, count in zip(server.workers(), before, strict=True)]
    finally:
        for client in clients:
            client.close()

    # About half each; fewer on a machine that is too busy to run both at once.
    assert min(taken) >= MANY // 10


def connections(worker: int) -> int:
    """Return how many open sockets a process has."""
    count = 0
    for file in Path(f"/proc/{worker}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            count += file.readlink().name.startswith("socket:")
    return count
