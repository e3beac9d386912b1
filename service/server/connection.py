"""A client's connection, with an end to the client's time.

gunicorn reads and writes without one: a client that sends a byte now and then, or none of its
handshake, would hold a thread for as long as it likes.
"""

from __future__ import annotations

import math
import socket
import ssl
import time
from typing import Any

from gevent import Timeout
from gevent.ssl import SSLSocket
from gunicorn import util
from gunicorn.http import get_parser
from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.http.unreader import SocketUnreader
from gunicorn.sock import ssl_wrap_socket
from gunicorn.workers.gthread import TConn

# For an answer to be taken; the largest is some megabytes.
_ANSWER_SECONDS = 30.0


# gunicorn's classes are not annotated.
class PlainHttp(ParseException):  # type: ignore[misc]
    """The client speaks plain HTTP to a port that speaks TLS."""


class TooSlow(ParseException):  # type: ignore[misc]
    """The request, or the rest of its body, did not arrive in time."""


class HandshakeFailed(Exception):
    """The TLS handshake came to nothing; the message says why and quotes nothing."""


# gevent's classes are not annotated.
class TlsSocket(SSLSocket):  # type: ignore[misc]
    """gevent's, which counts its timeout anew with each octet that arrives, and a record has many."""

    def do_handshake(self) -> None:
        """Shake hands within the socket's timeout."""
        with Timeout(self.timeout, TimeoutError):
            super().do_handshake()

    def recv(self, *args: Any) -> Any:
        """Receive what there is, within the socket's timeout."""
        with Timeout(self.timeout, TimeoutError):
            return super().recv(*args)


class Connection(TConn):  # type: ignore[misc]
    """gunicorn's, with a deadline for handshake, head and body together."""

    sock: Any
    initialized: bool
    deadline = math.inf

    def allow(self, seconds: float) -> None:
        """Start the clock for the next request."""
        self.deadline = time.monotonic() + seconds

    def init(self) -> None:
        """Shake hands where the port speaks TLS, and get ready to read a request.

        Raises:
            PlainHttp: the client does not speak TLS.
            HandshakeFailed: they did not agree, or not in time.
        """
        if self.initialized:
            return
        self.initialized = True
        self.sock.settimeout(self.deadline - time.monotonic())
        if self.cfg.is_ssl:
            self._shake_hands()
        self.parser = get_parser(self.cfg, self.sock, self.client)
        self.parser.unreader = _Unreader(self)

    def _shake_hands(self) -> None:
        first = self.sock.recv(1, socket.MSG_PEEK)
        if not first:
            raise NoMoreData
        # TLS begins with a byte that is no letter (RFC 8446 section 5.1), HTTP with its method.
        if first.isalpha():
            raise PlainHttp
        try:
            self.sock = ssl_wrap_socket(self.sock, self.cfg)
            self.sock.do_handshake()
        except TimeoutError:
            raise HandshakeFailed("it took too long") from None
        except ssl.SSLError as error:
            raise HandshakeFailed(error.reason or type(error).__name__) from None

    def close(self, graceful: bool = False) -> None:
        """Close it at once: whoever serves a request has waited for the client already."""
        util.close(self.sock)


# gunicorn's classes are not annotated.
class _Unreader(SocketUnreader):  # type: ignore[misc]
    """Reads until the connection's deadline; what is written in between has a limit of its own."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection.sock)
        self._connection = connection

    def chunk(self, size_hint: int | None = None) -> Any:
        left = self._connection.deadline - time.monotonic()
        if left <= 0:
            raise TooSlow
        self.sock.settimeout(left)
        try:
            return super().chunk(size_hint)
        except TimeoutError:
            raise TooSlow from None
        finally:
            self.sock.settimeout(_ANSWER_SECONDS)
