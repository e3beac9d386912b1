"""A vault that misbehaves as a test wants: the real one cannot be made to hang or to break off at will.

Sockets and TLS are real; tests/swarm_driver/test_with_the_api.py has what the API itself answers.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What a connection does with a request: it returns whether it takes another.
Behaviour = Callable[[socket.socket, "Asked"], bool]


@dataclass(frozen=True)
class Asked:
    """A request that arrived."""

    path: str
    headers: Mapping[str, str]
    document: Any


class VaultDouble:
    """Listens on a port of the loopback interface and treats each request as ``behaviour`` says now.

    ``requests`` are the deliveries that it was asked for, ``renewals`` the renewals of a token, which the
    driver asks for when it likes; ``connections`` is how many were accepted.
    """

    def __init__(self, certificate: Path | None, behaviour: Behaviour, port: int = 0) -> None:
        self.behaviour = behaviour
        self.renewal: Behaviour = answers(200, {"token_id": "0f3a5b7c9d1e2f40", "expires_at": None})
        self.requests: list[Asked] = []
        self.renewals: list[Asked] = []
        self.connections = 0
        self._open: list[socket.socket] = []
        self._context = None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate)
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        self.address = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Be away: nothing listens any more, and open connections break."""
        # Wakes the thread that accepts, which only closing does not.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                plain, _ = self._listener.accept()
                self.connections += 1
                self._open.append(plain)
                threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with suppress(OSError, EOFError):
            connection = self._context.wrap_socket(plain, server_side=True) if self._context else plain
            self._open.append(connection)
            with connection, connection.makefile("rb") as stream:
                while True:
                    asked = _read(stream)
                    is_renewal = asked.path == "/vault/token/renew"
                    (self.renewals if is_renewal else self.requests).append(asked)
                    if not (self.renewal if is_renewal else self.behaviour)(connection, asked):
                        break


def _read(stream: Any) -> Asked:
    line = stream.readline()
    if not line:
        raise EOFError
    headers = {}
    while (header := stream.readline().strip()) != b"":
        name, _, text = header.decode().partition(": ")
        headers[name.lower()] = text
    body = stream.read(int(headers["content-length"]))
    return Asked(line.split()[1].decode(), headers, json.loads(body))


def response(status: int, document: Any) -> bytes:
    """Return the bytes of a response."""
    body = json.dumps(document).encode()
    return f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def answers(status: int, document: Any) -> Behaviour:
    """Answer each request with this."""

    def behave(connection: socket.socket, _asked: Asked) -> bool:
        connection.sendall(response(status, document))
        return True

    return behave


def delivers(secret: str = "aGVsbG8=") -> Behaviour:
    """Answer each request with this value (base64), in the version that was asked for or the ninth."""

    def behave(connection: socket.socket, asked: Asked) -> bool:
        document = {"secret": secret, "version": asked.document.get("version", 9), "path": "team/app/db"}
        connection.sendall(response(200, document))
        return True

    return behave


def sends(raw: bytes) -> Behaviour:
    """Send these bytes and close the connection."""

    def behave(connection: socket.socket, _asked: Asked) -> bool:
        connection.sendall(raw)
        return False

    return behave


def hangs(connection: socket.socket, _asked: Asked) -> bool:
    """Say nothing until the other side gives up."""
    connection.recv(1)
    return False


@contextmanager
def standing(certificate: Path | None, behaviour: Behaviour, port: int = 0) -> Iterator[VaultDouble]:
    """Have one until the ``with`` ends."""
    vault = VaultDouble(certificate, behaviour, port)
    try:
        yield vault
    finally:
        vault.close()
