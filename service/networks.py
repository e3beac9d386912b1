"""Which addresses count as one client."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network


@lru_cache(maxsize=1024)
def client_network(address: str) -> str:
    """Return an IPv4 address as it is, and for an IPv6 address its /64, which one client has whole.

    Text that is not an address is returned unchanged.
    """
    try:
        # The system names the interface of a link-local peer: fe80::1%eth0.
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        # A dual-stack socket shows IPv4 peers as ::ffff:192.0.2.1.
        return str(found.ipv4_mapped or ip_network((found, 64), strict=False))
    return str(found)
