"""HTTP connections from commands to the service on the same machine."""

from __future__ import annotations

import http.client
import ssl

from ..environment import Address, Environment


def speaks_tls(environment: Environment) -> bool:
    """Return whether a service with these variables serves TLS."""
    return bool(environment.text("TLS_CERT_FILE", ""))


def connection(address: Address, *, tls: bool, seconds: float) -> http.client.HTTPConnection:
    """Return a connection to ``address`` on this machine, with a timeout of ``seconds``.

    The certificate is not verified.  It contains the names by which others reach the service, not loopback;
    and client and server read it from the same files, so verification would prove nothing.
    """
    if not tls:
        return http.client.HTTPConnection(address.host, address.port, timeout=seconds)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(address.host, address.port, timeout=seconds, context=context)
