"""gunicorn's worker: one greenlet per connection, and a place for each request that has arrived completely.

A request that cannot be parsed as HTTP never reaches the application.  gunicorn would answer it in HTML and
quote it there and in its log, with any secret in it.
"""

from __future__ import annotations

import json
import os
import socket
import time
from http import HTTPStatus
from typing import Any

import gevent
from gevent.event import Event
from gevent.pool import Pool
from gevent.socket import wait_read
from gunicorn.http import errors
from gunicorn.workers.base import Worker as BaseWorker

from ..environment import Network
from . import stop_signals
from .clients import Client, Clients
from .connection import Connection, HandshakeFailed, PlainHttp, Snapshot, TooSlow
from .connection_balance import WorkerSlots
from .gateway import Gateway

STATUS: dict[type[Exception], HTTPStatus] = {
    TooSlow: HTTPStatus.REQUEST_TIMEOUT,
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
    errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
    errors.ParseException: HTTPStatus.BAD_REQUEST,
}
DETAIL: dict[type[Exception], str] = {
    PlainHttp: "this port speaks https: use https:// instead of http://",
    TooSlow: "the request did not arrive in time",
}

_HEARTBEAT_SECONDS = 1.0
# How long a new connection is left to a worker with fewer connections.  Bounded, because a worker that hangs
# may have fewer, too.
_YIELD_SECONDS = 0.01
# How long a worker that stops keeps idle connections, for a request that may be on its way.
_STOP_SECONDS = 2.0
# How long to wait if there is no memory or no file descriptor for another connection.
_EXHAUSTED_SECONDS = 0.1

# What callers at a Unix socket have for an address and a port.
_LOOPBACK = ("127.0.0.1", 0)
# The memory for long bodies that are read or answered: so much, or for so many of the longest.
_BODIES_BYTES = 64 * 2**20
_MIN_BODIES = 16

_slots = WorkerSlots()


# gunicorn's classes are not annotated.
class Worker(BaseWorker):  # type: ignore[misc]
    """Bounds the time of a client, and answers malformed requests with a problem document.

    ``request_seconds`` is how long a request may take to arrive, ``max_body_bytes`` what its body may have,
    and ``trusted_proxies`` are the networks of proxies, behind which there are many clients.  ``number`` is
    that of its metrics: see ``metrics_files``.
    """

    number: int

    request_seconds = 10.0
    max_body_bytes = 0
    trusted_proxies: tuple[Network, ...] = ()
    alive: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Claim a slot; called before the fork, so no other worker claims one at the same time."""
        super().__init__(*args, **kwargs)
        self.slot = _slots.claim()
        self._stopped = Event()

    def run(self) -> None:
        """Serve until the worker is told to stop or its parent is gone, then finish what has arrived."""
        self._connections = Pool()
        self._clients = Clients(
            self.cfg.worker_connections,
            self.cfg.threads,
            max(_BODIES_BYTES, _MIN_BODIES * self.max_body_bytes),
            self.trusted_proxies,
        )
        self._gateway = Gateway(self.wsgi, self.cfg)
        acceptors = [
            gevent.spawn(self._accept_local if each.family == socket.AF_UNIX else self._accept, each)
            for each in self.sockets
        ]
        while self.alive and self.ppid == os.getppid():
            self.notify()
            self._stopped.wait(_HEARTBEAT_SECONDS)
        self.alive = False
        gevent.killall(acceptors)
        self.slot.release()
        for listener in self.sockets:
            listener.close()
        self._finish()

    def init_signals(self) -> None:
        """Handle signals, first those that came since the fork."""
        super().init_signals()
        stop_signals.unblock()

    def handle_exit(self, sig: Any, frame: Any) -> None:
        """Stop when the requests that have arrived are answered."""
        super().handle_exit(sig, frame)
        self._stopped.set()

    def handle_quit(self, sig: Any, frame: Any) -> None:
        """Stop at once; in a greenlet, because a signal may arrive in gevent's own, which cannot wait."""
        gevent.spawn(super().handle_quit, sig, frame)

    def handle_usr1(self, sig: Any, frame: Any) -> None:
        """Reopen the logs; see ``handle_quit``."""
        gevent.spawn(super().handle_usr1, sig, frame)

    def _accept(self, listener: Any) -> None:
        cfg, server = Snapshot(self.cfg, tls=self.cfg.is_ssl), listener.getsockname()
        while True:
            wait_read(listener.fileno())
            # A burst is taken at once, as far as it is this worker's to take.
            while self._take(listener, cfg, server):
                pass

    def _accept_local(self, listener: Any) -> None:
        """Accept the connections of the health check, past every limit that others can use up."""
        cfg = Snapshot(self.cfg, tls=False)
        while True:
            wait_read(listener.fileno())
            try:
                sock, _ = listener.accept()
            except BlockingIOError:
                continue  # another worker has taken it
            except OSError:
                gevent.sleep(_EXHAUSTED_SECONDS)
                continue
            self._start(self._clients.admit_local(), cfg, sock, _LOOPBACK, _LOOPBACK)

    def _take(self, listener: Any, cfg: Snapshot, server: Any) -> bool:
        """Accept a connection; return False if none is waiting, or if accepting failed."""
        yielded = 0.0
        while self.slot.has_surplus() and yielded < _YIELD_SECONDS:
            gevent.sleep(_YIELD_SECONDS / 10)
            yielded += _YIELD_SECONDS / 10
        try:
            sock, address = listener.accept()
        except BlockingIOError:
            return False  # another worker has taken it
        except OSError as error:
            self.log.warning("no connection can be accepted: %s", os.strerror(error.errno or 0))
            gevent.sleep(_EXHAUSTED_SECONDS)
            return False
        client = self._clients.admit(address[0])
        if client is None:
            sock.close()
        else:
            self._start(client, cfg, sock, address, server)
        return True

    def _start(self, client: Client, cfg: Snapshot, sock: Any, address: Any, server: Any) -> None:
        """Serve a connection in a greenlet of its own."""
        connection = Connection(
            cfg,
            sock,
            address,
            server,
            idle_seconds=self.cfg.keepalive,
            request_seconds=self.request_seconds,
        )
        client.greenlet = self._connections.spawn(self._serve, connection, client)
        self.slot.update(len(self._connections))

    def _finish(self) -> None:
        """Wait for the requests that have arrived, within gunicorn's limit; then close what is left."""
        now = time.monotonic()
        end, last = now + _STOP_SECONDS, now + self.cfg.graceful_timeout
        while len(self._connections) and now < last:
            self.notify()
            if now >= end:
                self._clients.end_waiting()
            self._connections.join(timeout=_HEARTBEAT_SECONDS / 4)
            now = time.monotonic()
        self._connections.kill(block=False)

    def _serve(self, connection: Connection, client: Client) -> None:
        """Answer a client's requests until one of the two closes the connection."""
        try:
            self._converse(connection, client)
        except (HandshakeFailed, errors.ParseException) as error:
            self._reject(connection, error)
        except OSError as error:
            # The client is gone; TLS errors are OSErrors, too.
            self.log.debug("a connection ended: %s", type(error).__name__)
        except Exception as error:  # noqa: BLE001  (one connection's error is no other's)
            self._reject(connection, error)
        finally:
            connection.close()
            self._clients.leave(client)
            self.slot.update(len(self._connections) - 1)

    def _converse(self, connection: Connection, client: Client) -> None:
        common = self._gateway.environ(connection)
        keep = True
        while keep:
            self._clients.start_waiting(client)
            request = connection.next_request()
            if request is None:
                return
            keep, answer = self._answer(connection, client, common, request)
            # Its body is in memory no longer.
            del request
            self._clients.release(client)
            connection.send(answer)
            if len(self._connections) > 1:
                # Its next request may have arrived already: reading it at once would be at others' expense.
                gevent.sleep(0)
        connection.close_gracefully()

    def _answer(
        self, connection: Connection, client: Client, common: dict[str, Any], request: Any
    ) -> tuple[bool, bytes]:
        """Read a request's body, and return whether the connection stays open, and the answer."""
        size = connection.body_bytes(request, self.max_body_bytes)
        self._clients.reserve(client, size, connection.seconds_left)
        body, complete = connection.read_body(request, self.max_body_bytes)
        self._clients.stop_waiting(client)
        of_network, of_process = client.places
        with of_network, of_process:
            keep = complete and self.alive and not request.should_close()
            return keep, self._gateway.answer(common, request, body, keep=keep)

    def _reject(self, connection: Connection, error: Exception) -> None:
        """Answer what did not reach the application, or what it did not answer."""
        if isinstance(error, HandshakeFailed):
            # A response is impossible; TLS has already sent its alert.
            self.log.warning("TLS failed before a request arrived: %s", error)
            connection.close_gracefully()
            return
        status = next(
            (STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), HTTPStatus.INTERNAL_SERVER_ERROR
        )
        level = self.log.error if status is HTTPStatus.INTERNAL_SERVER_ERROR else self.log.warning
        level("request rejected before it reached the application: %s", type(error).__name__)
        try:
            connection.send(_problem(status, DETAIL.get(type(error), "malformed HTTP request")))
            connection.close_gracefully()
        except OSError:
            self.log.debug("the client disconnected before the error response was sent")


def _problem(status: HTTPStatus, detail: str) -> bytes:
    body = json.dumps(
        {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    ).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        "Connection: close\r\n"
        "Content-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
