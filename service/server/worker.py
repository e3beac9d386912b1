"""gunicorn's threaded worker, with deadlines, balanced connections and problem documents.

A request that cannot be parsed as HTTP never reaches the application.  gunicorn would answer it in HTML and
quote it there and in its log, with any secret in it.

The threads are greenlets: gunicorn.conf.py replaces the standard library's threads with gevent's.
"""

from __future__ import annotations

import errno
import json
import selectors
import ssl
import time
from functools import partial
from http import HTTPStatus
from socket import socket
from typing import Any

from gunicorn import util
from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker

from .connection import Connection, HandshakeFailed, PlainHttp, TooSlow
from .connection_balance import WorkerSlots

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

# How long a client may take to close its side after the response, so that it can read all of it.
_LINGER_SECONDS = 1.0

# How long a new connection is left to a worker with fewer connections.  Bounded, because a worker that hangs
# may have fewer, too.
_YIELD_SECONDS = 0.01

_slots = WorkerSlots()


# gunicorn's classes are not annotated.
class Worker(ThreadWorker):  # type: ignore[misc]
    """Bounds the time of a client, and answers malformed requests with a problem document."""

    request_seconds = 10.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Claim a slot; called before the fork, so no other worker claims one at the same time."""
        super().__init__(*args, **kwargs)
        self.slot = _slots.claim()
        self._yielded = False
        self._yield_until = 0.0

    def accept(self, listener: socket) -> None:
        """Accept a connection, unless another worker has fewer; it needs no thread until data arrives."""
        if not self._yielded and self.slot.has_surplus():
            self.set_accept_enabled(False)
            self._yielded, self._yield_until = True, time.monotonic() + _YIELD_SECONDS
            return
        self._yielded = False
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        self.nr_conns += 1
        self.slot.update(self.nr_conns)
        connection = Connection(self.cfg, client, address, listener.getsockname())
        connection.set_timeout()
        self.pending_conns.append(connection)
        self.poller.register(
            client, selectors.EVENT_READ, partial(self.on_pending_socket_readable, connection)
        )

    def set_accept_enabled(self, enabled: bool) -> None:
        """Enable or disable accepting, called by gunicorn before it waits; not enabled while yielding."""
        if not enabled or time.monotonic() >= self._yield_until:
            super().set_accept_enabled(enabled)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Process events, called by gunicorn in a loop; publish the number of connections first."""
        if self.alive:
            self.slot.update(self.nr_conns)
        else:
            self.slot.release()
        remaining = self._yield_until - time.monotonic()
        super().wait_for_and_dispatch_events(min(timeout, remaining) if remaining > 0 else timeout)

    def handle(self, conn: Connection) -> Any:
        """Serve one request, called by gunicorn in a thread when data has arrived."""
        conn.allow(self.request_seconds)
        keep_open = super().handle(conn)
        if not keep_open:
            # gunicorn closes connections in its main thread, which must stay free to accept others.
            util.close_graceful(conn.sock, timeout=_LINGER_SECONDS)
        return keep_open

    def _keepalive_after(self, conn: Connection, keepalive: Any) -> bool:
        try:
            return bool(super()._keepalive_after(conn, keepalive))
        except TooSlow:
            # The response has been sent; the rest of the body did not arrive in time.
            return False

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer on the socket ``client``, called by gunicorn if a request did not reach the application."""
        if isinstance(exc, HandshakeFailed | ssl.SSLError):
            # A response is impossible; TLS has already sent its alert.
            self.log.warning("TLS failed before a request arrived: %s", _reason(exc))
            return
        status = next(
            (STATUS[kind] for kind in type(exc).__mro__ if kind in STATUS), HTTPStatus.INTERNAL_SERVER_ERROR
        )
        level = self.log.error if status is HTTPStatus.INTERNAL_SERVER_ERROR else self.log.warning
        level("request rejected before it reached the application: %s", type(exc).__name__)
        detail = DETAIL.get(type(exc), "malformed HTTP request")
        try:
            client.sendall(_problem(status, detail))
        except OSError:
            self.log.debug("the client disconnected before the error response was sent")


def _reason(exc: Exception) -> str:
    """Return OpenSSL's reason, which quotes nothing that the client sent."""
    return str(getattr(exc, "reason", None) or exc)


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
