"""server.local_client: the status of a real answer, and an error for everything else."""

import socket
from collections.abc import Callable
from threading import Thread

import pytest

from service.environment import Address
from service.server.local_client import get_status


@pytest.fixture
def answer() -> Callable[[bytes], Address]:
    """Return a function that starts a server, which answers one request with these bytes."""

    def answer(response: bytes) -> Address:
        listener = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            with listener, listener.accept()[0] as connection:
                assert connection.recv(65536).startswith(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:")
                connection.sendall(response)

        Thread(target=serve).start()
        return Address(*listener.getsockname())

    return answer


@pytest.mark.parametrize("status", [200, 503])
def test_returns_the_status(answer: Callable[[bytes], Address], status: int) -> None:
    """From the first line of the response."""
    address = answer(b"HTTP/1.1 %d Whatever\r\nContent-Length: 0\r\n\r\n" % status)

    assert status == get_status(address, "/healthz", tls=False, seconds=5)


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (b"", "the connection was closed without a response"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "the response is not HTTP"),
        (b"HTTP/1.1 abc\r\n", "the response is not HTTP"),
    ],
)
def test_refuses_what_is_not_http(answer: Callable[[bytes], Address], response: bytes, message: str) -> None:
    """As an OSError, like a connection that fails."""
    with pytest.raises(OSError, match=message):
        get_status(answer(response), "/healthz", tls=False, seconds=5)


def test_gives_up_on_a_silent_server() -> None:
    """Each step ends within the limit."""
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(TimeoutError):
        get_status(Address(*listener.getsockname()), "/healthz", tls=False, seconds=0.1)
