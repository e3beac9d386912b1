"""Which names a service without authentication answers to.

Without tokens, reaching the port is all that it takes.  A page in a browser on the same network can reach it
by pointing a name of its own at this address (DNS rebinding); the header Host then has that name.  ``dev``
has no other callers than those on its own machine, so it is stricter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

from flask import Flask, request

from ..errors import UnexpectedHost

_WITH_PORT = re.compile(r"(?:\[(?P<ipv6>[^\]]*)\]|(?P<name>[^:]*))(?::(?P<port>[0-9]*))?")


def init_app(app: Flask, hosts: Iterable[str], port: int | None = None) -> None:
    """Refuse requests for other hosts than addresses, names within this network, and ``hosts``.

    With a ``port`` only hosts of this machine are answered, with this port, and ``hosts``.
    """
    allowed = frozenset(host.lower() for host in hosts)

    def check() -> None:
        # Only browsers are to be kept out, and these always send it.
        host = request.environ.get("HTTP_HOST")
        if host is None:
            return
        if port is None:
            if not is_own(host, allowed):
                raise UnexpectedHost
        elif not is_of_this_machine(host, allowed, port, tls=request.scheme == "https"):
            raise UnexpectedHost(f"localhost and loopback addresses, with its own port {port}")

    app.before_request(check)


def is_own(host: str, allowed: frozenset[str]) -> bool:
    """Return whether nobody can point this host, with or without a port, at an address of theirs.

    That is so for an address, for ``localhost``, and for a name without a dot, such as a Swarm service's.
    """
    name, _ = _split(host)
    return name in allowed or _is_local(name) or _is_label(name) or _address(name) is not None


def is_of_this_machine(host: str, allowed: frozenset[str], port: int, *, tls: bool) -> bool:
    """Return whether this host is allowed, or is this machine under its own names and with this port."""
    name, sent = _split(host)
    if name in allowed:
        return True
    address = _address(name)
    is_loopback = _is_local(name) or (address is not None and address.is_loopback)
    return is_loopback and sent in (str(port), *([""] if port == (443 if tls else 80) else []))


def _split(host: str) -> tuple[str, str]:
    """Return name and port; the name is empty if the host is malformed, the port if there is none."""
    match = _WITH_PORT.fullmatch(host)
    return (
        ("", "") if match is None else ((match["ipv6"] or match["name"] or "").lower(), match["port"] or "")
    )


def _is_local(name: str) -> bool:
    return name == "localhost" or name.endswith(".localhost")


def _is_label(name: str) -> bool:
    return re.fullmatch(r"[a-z0-9_-]+", name, re.ASCII) is not None


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None
