"""How this machine's own commands call the service that runs here.

The container health check imports this module every few seconds, so it uses a socket: ``http.client`` and
the ``email`` package behind it cost more than the check itself.  ``ssl`` is imported only for TLS.
"""

from __future__ import annotations

import socket
from contextlib import nullcontext

from ..environment import Address, Environment

_MAX_RESPONSE_BYTES = 65536


def speaks_tls(environment: Environment) -> bool:
    """Return whether a service with these variables serves TLS."""
    return bool(environment.text("TLS_CERT_FILE", ""))


def get_status(address: Address | str, path: str, *, tls: bool, seconds: float) -> int:
    """Return the status with which the service at ``address`` on this machine answers a GET request.

    A text is the path of a Unix socket.  Each step (connect, handshake, send, receive) ends within
    ``seconds``.

    Raises:
        OSError: there was no answer, or it was not HTTP.
    """
    host = "localhost" if isinstance(address, str) else address
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    with (
        _connect(address, seconds) as plain,
        _wrap(plain) if tls else nullcontext(plain) as connection,
    ):
        connection.sendall(request.encode())
        # All of it: closing a connection with unread data resets it while the service is still writing.
        with connection.makefile("rb") as file:
            response = file.read(_MAX_RESPONSE_BYTES)
    if not response:
        raise ConnectionError("the connection was closed without a response")
    version, _, rest = response.partition(b" ")
    if not (version.startswith(b"HTTP/") and rest[:3].isdigit()):
        raise ConnectionError("the response is not HTTP")
    return int(rest[:3])


def _connect(address: Address | str, seconds: float) -> socket.socket:
    if isinstance(address, Address):
        return socket.create_connection((address.host, address.port), timeout=seconds)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(seconds)
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


def _wrap(plain: socket.socket) -> socket.socket:
    """Return the connection with TLS on it, without verifying the certificate.

    The certificate names the hosts under which others reach the service.  The process that answers on this
    machine's loopback interface has the certificate and its key from the same place as the caller: verifying
    one with the other would prove nothing.
    """
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(plain)
