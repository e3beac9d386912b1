"""The allowed targets of load: the project's own nodes and nothing else."""

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
    """The addresses of the service, and the caller's token.

    ``ca`` is a file with the CA for https servers, instead of the system's; without a ``token`` none is sent.
    """

    urls: Sequence[str]
    ca: Path | None = None
    token: str | None = field(default=None, repr=False)


def own_node(url: str) -> str:
    """Return ``url`` as ``http://ADDRESS:PORT`` or ``https://ADDRESS:PORT``.

    Raises:
        Refused: it has any other form, or the address is neither loopback nor private.  Names are refused as
            well: they may resolve to another address when the request is made.
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
