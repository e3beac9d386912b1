"""A relay between the browser and the server, on which lines break and answers are lost."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

from tests.gunicorn_server import LAST, Server

# To a connection that is closed with this, TCP says reset.
_RESET = struct.pack("ii", 1, 0)
_SECONDS = 30
# Of one hop each (RFC 9110 section 7.6.1), or about a length that is given anew.
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


class Relay:
    """Passes requests on to ``server``, and notes the paths of those that arrived.

    ``cut`` counts, by path, the answers that are still to be lost: the request reaches the server, and then
    the browser's connection is reset.  ``answers`` maps paths to a status, headers and a body that the
    server is not asked for.
    Without ``keep_alive`` each answer closes its connection.
    """

    def __init__(self, server: Server, *, keep_alive: bool = True) -> None:
        self._server = server
        self.keep_alive = keep_alive
        self.paths: list[str] = []
        self.cut: Counter[str] = Counter()
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.statuses: list[tuple[str, int]] = []
        relay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                relay.pass_on(self)

            def do_POST(self) -> None:
                relay.pass_on(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._http.shutdown()
        self._http.server_close()

    def count(self, path: str) -> int:
        """Return how many requests for this path have arrived."""
        return self.paths.count(path)

    def wait_for(self, path: str) -> None:
        """Wait until a request for this path has been answered."""
        end = time.monotonic() + _SECONDS
        while path not in [path for path, _ in self.statuses]:
            assert time.monotonic() < end, f"{path} was not asked for; only {self.paths}"
            time.sleep(0.02)

    def pass_on(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer a request."""
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        self.paths.append(handler.path)
        if handler.path in self.answers:
            return self._answer(handler, *self.answers[handler.path])
        sent = {name: value for name, value in handler.headers.items() if name.lower() not in _HOP}
        answer = requests.request(
            handler.command, self._server.url + handler.path, data=body, headers=sent | LAST, timeout=30
        )
        self.statuses.append((handler.path, answer.status_code))
        if self.cut[handler.path]:
            self.cut[handler.path] -= 1
            handler.close_connection = True
            # By hand: closing it later, as the handler does, sends an end first, which is no break.
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            handler.connection.close()
            return None
        return self._answer(handler, answer.status_code, dict(answer.headers), answer.content)

    def _answer(
        self, handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes
    ) -> None:
        handler.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in _HOP | {"content-encoding"}:
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        if not self.keep_alive:
            handler.send_header("Connection", "close")
            handler.close_connection = True
        # Whoever asked may have left the page.
        with suppress(ConnectionError):
            handler.end_headers()
            handler.wfile.write(body)


@contextmanager
def relaying(server: Server, *, keep_alive: bool = True) -> Iterator[Relay]:
    """Run a relay."""
    relay = Relay(server, keep_alive=keep_alive)
    try:
        yield relay
    finally:
        relay.close()
