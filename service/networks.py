"""Which addresses count as one client, and which are in a network."""

from __future__ import annotations

from collections.abc import Iterable
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


def is_within(address: str, networks: Iterable[str]) -> bool:
    """Return whether an address is in one of these networks; text that is not an address is in none."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in ip_network(network) for network in networks)
