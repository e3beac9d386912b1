"""Where load may go: to the project's own nodes and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from .errors import Refused

# RFC 1918 and RFC 4193; ``is_private`` would let documentation and benchmark networks pass as well.
_PRIVATE = [ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")]

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Api:
    """Where the service answers, and as whom to ask it.

    ``ca`` is the file with the CA that https servers are known by, instead of the system's; without
    a ``token`` none is sent.
    """

    urls: Sequence[str]
    ca: Path | None = None
    token: str | None = field(default=None, repr=False)


def own_node(url: str) -> str:
    """Return ``url`` as ``http://ADDRESS:PORT`` or ``https://ADDRESS:PORT``.

    Raises:
        Refused: it is anything else, or the address is neither a loopback nor a private one. Names
            are refused as well: what they stand for may change between this look and the request.
    """
    try:
        parts = urlsplit(url)
        address, port = ip_address(parts.hostname or ""), parts.port
    except ValueError:
        raise Refused(f"{url}: give an address, as in https://10.0.0.11:8000") from None
    if (
        parts.scheme not in _PORTS
        or url.rstrip("/") != f"{parts.scheme}://{parts.netloc}"
        or "@" in parts.netloc
    ):
        raise Refused(f"{url}: give a scheme, an address and a port only, as in https://10.0.0.11:8000")
    if not _is_own(address):
        raise Refused(f"{url}: load goes to loopback and private addresses only, and {address} is neither")
    host = f"[{address}]" if isinstance(address, IPv6Address) else str(address)
    return f"{parts.scheme}://{host}:{port or _PORTS[parts.scheme]}"


def _is_own(address: IPv4Address | IPv6Address) -> bool:
    return address.is_loopback or any(address in network for network in _PRIVATE)
