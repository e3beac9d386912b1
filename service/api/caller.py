"""Who is asking: the address that is believed, and the id that ties answer, log line and record together."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from flask import g, request

from ..environment import Network
from ..models import Caller
from .dependencies import dependencies

Address = IPv4Address | IPv6Address

# What usual generators make (UUIDs, ULIDs, trace ids); nothing that could break a log line.
_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


def current_caller() -> Caller:
    """Return where the present request comes from."""
    return Caller(client_ip=client_ip(), request_id=request_id())


def request_id() -> str:
    """Return the present request's id: the caller's own where it is sane, a new one otherwise."""
    if "request_id" not in g:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if _SANE_REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
    return str(g.request_id)


def client_ip() -> str:
    """Return the address of the present request's client, as far as it can be believed."""
    if "client_ip" not in g:
        g.client_ip = client_address(
            request.remote_addr or "",
            ",".join(request.headers.getlist("X-Forwarded-For")),
            dependencies().trusted_proxies,
        )
    return str(g.client_ip)


def client_address(peer: str, forwarded_for: str, trusted: Sequence[Network]) -> str:
    """Return the last address that no trusted proxy vouches away.

    ``peer`` is who holds the connection, ``forwarded_for`` the header, where each proxy appends
    whom it spoke to.  Walking from the right, an entry counts only while the address that wrote
    it is a trusted one: everything to the left of that is the client's own invention.  An entry
    that is no address ends the walk.
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
    """Return whether ``text`` is an address in one of the networks."""
    address = _parse(text)
    return address is not None and any(address in network for network in networks)


def _parse(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A dual-stack socket shows IPv4 peers as ::ffff:192.0.2.1; networks are written without that.
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
