"""Client connections with a deadline.

gunicorn reads and writes without one: a client that sends a byte from time to time, or never finishes its
handshake, would occupy a thread indefinitely.
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

# Limit for sending a response; the largest has a few megabytes.
_ANSWER_SECONDS = 30.0


# gunicorn's classes are not annotated.
class PlainHttp(ParseException):  # type: ignore[misc]
    """The client speaks plain HTTP to a port that speaks TLS."""


class TooSlow(ParseException):  # type: ignore[misc]
    """The request, or the rest of its body, did not arrive in time."""


class HandshakeFailed(Exception):
    """The TLS handshake failed; the message says why, and quotes nothing that the client sent."""


# gevent's classes are not annotated.
class TlsSocket(SSLSocket):  # type: ignore[misc]
    """gevent's TLS socket, with a timeout for the whole operation.

    gevent restarts the timeout with each byte that arrives, and a TLS record has many.
    """

    def do_handshake(self) -> None:
        """Shake hands within the socket's timeout."""
        with Timeout(self.timeout, TimeoutError):
            super().do_handshake()

    def recv(self, *args: Any) -> Any:
        """Receive the available data, within the socket's timeout."""
        with Timeout(self.timeout, TimeoutError):
            return super().recv(*args)


class Connection(TConn):  # type: ignore[misc]
    """gunicorn's connection, with one deadline for TLS handshake, headers and body."""

    sock: Any
    initialized: bool
    deadline = math.inf

    def allow(self, seconds: float) -> None:
        """Set the deadline of the next request, ``seconds`` from now."""
        self.deadline = time.monotonic() + seconds

    def init(self) -> None:
        """Do the handshake if the port speaks TLS, and prepare to read a request.

        Raises:
            PlainHttp: the client does not speak TLS.
            HandshakeFailed: the handshake failed or took too long.
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
        # TLS begins with a byte that is not a letter (RFC 8446 section 5.1), HTTP with its method.
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
        """Close the connection at once: the thread that served it has already waited for the client."""
        util.close(self.sock)


# gunicorn's classes are not annotated.
class _Unreader(SocketUnreader):  # type: ignore[misc]
    """Reads until the connection's deadline; writes in between have their own timeout."""

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
