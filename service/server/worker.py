"""gunicorn's threaded worker, with its own errors in this service's form.

What cannot even be parsed as HTTP never reaches the application.  gunicorn answers it in HTML and
quotes it there and in its log: a client that speaks plain HTTP wrongly would find its secret in
the log of the server.

The threads are greenlets: gunicorn.conf.py puts gevent's in the place of the standard library's.
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

# How long an answered client may take to close its side, so that it reads the answer to its end.
_LINGER_SECONDS = 1.0

# How long a new connection is left to a worker that has fewer of them; who is stuck may have fewer as well.
_LEFT_SECONDS = 0.01

_slots = WorkerSlots()


# gunicorn's classes are not annotated.
class Worker(ThreadWorker):  # type: ignore[misc]
    """Bounds the time that a client may take, and answers what it cannot parse with a problem document."""

    request_seconds = 10.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Called before the fork, where nobody else takes a seat at the same time."""
        super().__init__(*args, **kwargs)
        self.slot = _slots.claim()
        self._left = False
        self._left_until = 0.0

    def accept(self, listener: socket) -> None:
        """Take a connection; as long as it says nothing, it costs no thread."""
        if not self._left and self.slot.has_surplus():
            self.set_accept_enabled(False)
            self._left, self._left_until = True, time.monotonic() + _LEFT_SECONDS
            return
        self._left = False
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
        """Called by gunicorn before it waits; what is left to others is not looked at meanwhile."""
        if not enabled or time.monotonic() >= self._left_until:
            super().set_accept_enabled(enabled)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Called by gunicorn again and again, for all that its own thread does."""
        if self.alive:
            self.slot.update(self.nr_conns)
        else:
            self.slot.release()
        left = self._left_until - time.monotonic()
        super().wait_for_and_dispatch_events(min(timeout, left) if left > 0 else timeout)

    def handle(self, conn: Connection) -> Any:
        """Serve one request; called by gunicorn in a thread once there is something to read."""
        conn.allow(self.request_seconds)
        kept = super().handle(conn)
        if not kept:
            # Here and not where gunicorn does it: its own thread accepts everybody else.
            util.close_graceful(conn.sock, timeout=_LINGER_SECONDS)
        return kept

    def _keepalive_after(self, conn: Connection, keepalive: Any) -> bool:
        try:
            return bool(super()._keepalive_after(conn, keepalive))
        except TooSlow:
            # The answer is out already, and the rest of the body was not worth waiting for.
            return False

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer on the socket ``client``; called by gunicorn where there is no application to ask."""
        if isinstance(exc, HandshakeFailed | ssl.SSLError):
            # There is nobody to answer to: TLS has said what it has to say.
            self.log.warning("TLS refused before there was a request: %s", _reason(exc))
            return
        status = next(
            (STATUS[kind] for kind in type(exc).__mro__ if kind in STATUS), HTTPStatus.INTERNAL_SERVER_ERROR
        )
        level = self.log.error if status is HTTPStatus.INTERNAL_SERVER_ERROR else self.log.warning
        level("request refused before the application saw it: %s", type(exc).__name__)
        detail = DETAIL.get(type(exc), "this is not an HTTP request that the service can read")
        try:
            client.sendall(_problem(status, detail))
        except OSError:
            self.log.debug("the client was gone before it could be told")


def _reason(exc: Exception) -> str:
    """Return OpenSSL's own word for it, which quotes nothing that the client sent."""
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
