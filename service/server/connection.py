"""Client connections: a deadline for each handshake, head and request, however the bytes arrive.

The parser is gunicorn's.  By itself it reads without a deadline: a client that sends a byte from time to
time, or never finishes its handshake, would be read from for ever.
"""

from __future__ import annotations

import io
import math
import socket
import ssl
import time
from typing import Any

from gevent import Timeout
from gevent.ssl import SSLSocket
from gunicorn import util
from gunicorn.http.body import LengthReader
from gunicorn.http.errors import LimitRequestHeaders, NoMoreData, ParseException
from gunicorn.http.parser import RequestParser
from gunicorn.http.unreader import SocketUnreader
from gunicorn.sock import ssl_wrap_socket

# How long a TLS handshake may take, and the head of a request from its first byte.
_HEAD_SECONDS = 3.0
# A head is in memory until it is complete; nginx accepts as much.
_MAX_HEAD_BYTES = 32_768
# Limit for sending a response; the largest has a few megabytes.
_ANSWER_SECONDS = 30.0
# How long a client may take to close its side after the response, so that it can read all of it.
_LINGER_SECONDS = 1.0
_CHUNK_BYTES = 8192


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


class Snapshot:
    """gunicorn's configuration, with its settings as plain attributes.

    gunicorn itself looks each of them up, and its parser asks twenty times for a request.
    """

    def __init__(self, cfg: Any, *, tls: bool) -> None:
        self._cfg = cfg
        self.is_ssl = tls
        self.__dict__.update({name: setting.get() for name, setting in cfg.settings.items()})

    def __getattr__(self, name: str) -> Any:
        """Return what is no setting."""
        return getattr(self._cfg, name)


class Connection:
    """A client's connection: its requests, one after the other, and the answers to them.

    ``client`` and ``server`` are the two addresses.  The client may be silent for ``idle_seconds`` between
    two requests; each must arrive within ``request_seconds``, and its head within three.
    """

    def __init__(
        self, cfg: Any, sock: Any, client: Any, server: Any, *, idle_seconds: float, request_seconds: float
    ) -> None:
        self.client = client
        self.server = server
        self._cfg = cfg
        self._sock = sock
        self._idle_seconds = idle_seconds
        self._request_seconds = request_seconds
        self._head_seconds = min(_HEAD_SECONDS, request_seconds)
        self._parser: Any = None
        self._unreader: Any = None
        self._deadline = math.inf
        # How many more bytes may arrive for a head.
        self._head_room: float = math.inf

    def next_request(self) -> Any:
        """Return the head of the next request, as gunicorn has it; None if the client closed or was silent.

        Raises:
            PlainHttp: the client does not speak TLS.
            HandshakeFailed: the handshake failed or took too long.
            TooSlow: the head did not arrive in time.
            ParseException: it is not HTTP.
        """
        self._sock.settimeout(self._idle_seconds)
        try:
            if self._parser is None:
                self._open()
                self._sock.settimeout(self._idle_seconds)
            if not self._unreader.buf.getbuffer().nbytes:
                # The start of the request: one system call both waits for it and reads it.
                self._unreader.unread(self._sock.recv(_CHUNK_BYTES))
        except TimeoutError:
            return None
        started = time.monotonic()
        self._deadline = started + self._head_seconds
        self._head_room = _MAX_HEAD_BYTES - self._unreader.buf.getbuffer().nbytes
        try:
            request = next(self._parser)
        except (StopIteration, NoMoreData):
            return None
        self._deadline, self._head_room = started + self._request_seconds, math.inf
        return request

    @staticmethod
    def body_bytes(request: Any, max_bytes: int) -> int:
        """Return how much memory ``read_body`` takes at most."""
        length = _announced_length(request)
        return max_bytes if length is None else length if length <= max_bytes else 0

    def read_body(self, request: Any, max_bytes: int) -> tuple[Any, bool]:
        """Return the body of ``request`` as a file, and whether the next request follows it.

        If it is longer than ``max_bytes``, the file contains one byte more than that, or nothing if its
        length was announced.  If it is malformed or does not arrive in time, reading the file raises
        ParseException: the application answers.
        """
        length = _announced_length(request)
        if length == 0 or (length is not None and length > max_bytes):
            return io.BytesIO(), length == 0
        try:
            if request._expected_100_continue:
                self._sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = request.body.read(max_bytes + 1)
        except ParseException as error:
            return _Unreadable(error), False
        if length is not None and len(body) < length:
            return _Unreadable(NoMoreData()), False
        return io.BytesIO(body), len(body) <= max_bytes

    def send(self, answer: bytes) -> None:
        """Send an answer; TimeoutError if the client does not take it in time."""
        self._sock.settimeout(_ANSWER_SECONDS)
        self._sock.sendall(answer)

    def close_gracefully(self) -> None:
        """Close the connection once the client has closed its side, too, or after a second."""
        util.close_graceful(self._sock, timeout=_LINGER_SECONDS)

    def close(self) -> None:
        """Close the connection at once."""
        util.close(self._sock)
        # They refer to each other, and with them a body would stay until garbage is collected.
        self._parser = self._unreader = None

    def seconds_left(self) -> float:
        """Return how much time the request has left.

        Raises:
            TooSlow: it has none left.
        """
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TooSlow
        return left

    def received(self, count: int) -> None:
        """Note that so many bytes have arrived.

        Raises:
            LimitRequestHeaders: the head is too long.
        """
        self._head_room -= count
        if self._head_room < 0:
            raise LimitRequestHeaders(f"longer than {_MAX_HEAD_BYTES} bytes")

    def _open(self) -> None:
        """Wait for the first byte, do the handshake if the port speaks TLS, and prepare to read requests."""
        if self._cfg.is_ssl:
            first = self._sock.recv(1, socket.MSG_PEEK)
            # TLS begins with a byte that is not a letter (RFC 8446 section 5.1), HTTP with its method.
            if first.isalpha():
                raise PlainHttp
            if first:
                self._shake_hands()
        self._parser = RequestParser(self._cfg, self._sock, self.client)
        self._parser.unreader = self._unreader = _Unreader(self, self._sock)

    def _shake_hands(self) -> None:
        # The socket's timeout is for the whole handshake: see TlsSocket.
        self._sock.settimeout(self._head_seconds)
        try:
            self._sock = ssl_wrap_socket(self._sock, self._cfg)
            self._sock.do_handshake()
        except TimeoutError:
            raise HandshakeFailed("it took too long") from None
        except ssl.SSLError as error:
            raise HandshakeFailed(error.reason or type(error).__name__) from None


# gunicorn's classes are not annotated.
class _Unreader(SocketUnreader):  # type: ignore[misc]
    """Reads until the deadline of the connection's request."""

    def __init__(self, connection: Connection, sock: Any) -> None:
        super().__init__(sock)
        self._connection = connection

    def chunk(self, size_hint: int | None = None) -> Any:
        self.sock.settimeout(self._connection.seconds_left())
        try:
            data = super().chunk(size_hint)
        except TimeoutError:
            raise TooSlow from None
        self._connection.received(len(data))
        return data


def _announced_length(request: Any) -> int | None:
    """Return the length of a request's body, or None if it comes in chunks."""
    reader = request.body.reader
    return reader.length if isinstance(reader, LengthReader) else None


class _Unreadable:
    """The body of a request that is malformed, ended early, or did not arrive in time."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def read(self, *_: int) -> bytes:
        raise self._error
