"""Which names a service without authentication answers to.

Without tokens, reaching the port is all that it takes.  A page in a browser on the same network can reach it
by pointing a name of its own at this address (DNS rebinding); the header Host then has that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address

from flask import Flask, request

from ..errors import UnexpectedHost

_WITH_PORT = re.compile(r"(?:\[(?P<ipv6>[^\]]*)\]|(?P<name>[^:]*))(?::[0-9]*)?")


def init_app(app: Flask, hosts: Iterable[str]) -> None:
    """Refuse requests for other hosts than addresses, names within this network, and ``hosts``."""
    allowed = frozenset(host.lower() for host in hosts)

    def check() -> None:
        # Only browsers are to be kept out, and these always send it.
        host = request.environ.get("HTTP_HOST")
        if host is not None and not is_own(host, allowed):
            raise UnexpectedHost

    app.before_request(check)


def is_own(host: str, allowed: frozenset[str]) -> bool:
    """Return whether nobody can point this host, with or without a port, at an address of theirs.

    That is so for an address, for ``localhost``, and for a name without a dot, such as a Swarm service's.
    """
    match = _WITH_PORT.fullmatch(host)
    if match is None:
        return False
    name = (match["ipv6"] or match["name"]).lower()
    return name in allowed or name.endswith(".localhost") or _is_label(name) or _is_address(name)


def _is_label(name: str) -> bool:
    return re.fullmatch(r"[a-z0-9_-]+", name, re.ASCII) is not None


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
