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

# The address of a client that cannot be determined; it is in no network.
UNKNOWN = "unknown"

_WITH_PORT = re.compile(
    r"(?:(?P<ipv4>[0-9.]+)|\[(?P<ipv6>[0-9A-Fa-f.]*:[0-9A-Fa-f:.]+)\])(?::[0-9]{1,5})?", re.ASCII
)
# What a proxy adds to a request that it forwards.
_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")


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
                environ.get("HTTP_X_FORWARDED_FOR"),
                dependencies().trusted_proxies,
            ),
            request_id=sent if _VALID_REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex,
        )
    return found


@lru_cache(maxsize=1024)
def client_address(peer: str, forwarded_for: str | None, trusted: tuple[Network, ...]) -> str:
    """Return the address of the client in front of the trusted proxies, or ``UNKNOWN``.

    ``peer`` is the other end of the connection; ``forwarded_for`` is the header, if there is one, to which
    each proxy appends the address that connected to it, some of them with its port.  Entries are read from
    the right.  An entry counts only if the address that added it is trusted: the client may have made up
    everything to the left of that.  If it is not an address, nobody knows whose the request is: taken for
    the proxy's own, it would have the rights of the proxy's address.
    """
    # The system names the interface of a link-local peer: fe80::1%eth0.
    address = _parse(peer.partition("%")[0])
    if forwarded_for is not None:
        for entry in reversed(forwarded_for.split(",")):
            if address is None or not any(address in network for network in trusted):
                break
            address = _forwarded(entry.strip())
    return UNKNOWN if address is None else str(address)


def is_from(networks: Sequence[Network]) -> bool:
    """Return whether the current request comes from any of ``networks``.

    It does not if a proxy that is not trusted forwards it, or a trusted one that does not say for whom.
    """
    environ = request.environ
    forwarded = any(name in environ for name in _FORWARDED)
    trusted = _is_in(environ.get("REMOTE_ADDR", ""), dependencies().trusted_proxies)
    if forwarded and not (trusted and "HTTP_X_FORWARDED_FOR" in environ):
        return False
    return _is_in(current_caller().client_ip, networks)


def _is_in(text: str, networks: Sequence[Network]) -> bool:
    address = _parse(text)
    return address is not None and any(address in network for network in networks)


def _forwarded(entry: str) -> Address | None:
    """Return the address in an entry such as ``192.0.2.7``, ``192.0.2.7:4711`` or ``[2001:db8::7]:4711``."""
    match = _WITH_PORT.fullmatch(entry)
    return _parse(entry if match is None else match["ipv4"] or match["ipv6"])


def _parse(text: str) -> Address | None:
    # ipaddress takes a zone for part of an address, and a zone may be any text.
    if "%" in text:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A dual-stack socket shows IPv4 peers as ::ffff:192.0.2.1; networks are configured as plain IPv4.
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
