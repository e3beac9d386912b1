"""How this machine's own commands ask the service that runs here."""

from __future__ import annotations

import http.client
import ssl

from ..environment import Address, Environment


def speaks_tls(environment: Environment) -> bool:
    """Whether a service with these variables serves TLS."""
    return bool(environment.text("TLS_CERT_FILE", ""))


def connection(address: Address, *, tls: bool, seconds: float) -> http.client.HTTPConnection:
    """Return a connection to ``address`` on this machine; each step of it ends within ``seconds``.

    The certificate is not verified.  It names those by whom others reach the service, and what
    answers on this machine's loopback has the certificate and its key from the same place as whoever
    asks: to verify the one with the other would prove nothing.
    """
    if not tls:
        return http.client.HTTPConnection(address.host, address.port, timeout=seconds)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(address.host, address.port, timeout=seconds, context=context)
