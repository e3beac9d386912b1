"""The client's address, and the request id that response, log line and audit record share."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from flask import g, request

from ..environment import Network
from ..models import Caller
from .dependencies import dependencies

Address = IPv4Address | IPv6Address

# Matches common formats (UUIDs, ULIDs, trace ids), and nothing that could break a log line.
_VALID_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


def current_caller() -> Caller:
    """Return where the current request comes from.

    Its id is the ``X-Request-ID`` that it sent, if that is valid, otherwise a new one; its address is the
    client's, as far as trusted proxies report it.
    """
    found: Caller | None = g.get("caller")
    if found is None:
        # Werkzeug searches all headers for one, and raises an error if it is not there.
        environ = request.environ
        sent = environ.get("HTTP_X_REQUEST_ID", "")
        found = g.caller = Caller(
            client_ip=client_address(
                environ.get("REMOTE_ADDR", ""),
                environ.get("HTTP_X_FORWARDED_FOR", ""),
                dependencies().trusted_proxies,
            ),
            request_id=sent if _VALID_REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex,
        )
    return found


@lru_cache(maxsize=1024)
def client_address(peer: str, forwarded_for: str, trusted: tuple[Network, ...]) -> str:
    """Return the address of the client in front of the trusted proxies.

    ``peer`` is the other end of the connection; ``forwarded_for`` is the header, to which each proxy appends
    the address that connected to it.  Entries are read from the right.  An entry counts only if the address
    that added it is trusted: the client may have made up everything to the left of that.  An entry that is
    not an address ends the search.
    """
    address = _parse(peer)
    if address is None:
        return peer
    for entry in reversed(forwarded_for.split(",")):
        if not any(address in network for network in trusted):
            break
        previous = _parse(entry.strip())
        if previous is None:
            break
        address = previous
    return str(address)


def within(text: str, networks: Sequence[Network]) -> bool:
    """Return whether ``text`` is an address in any of ``networks``."""
    address = _parse(text)
    return address is not None and any(address in network for network in networks)


def _parse(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A dual-stack socket shows IPv4 peers as ::ffff:192.0.2.1; networks are configured as plain IPv4.
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
