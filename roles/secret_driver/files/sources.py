"""Prints the address from which this machine's calls reach each address, as the API sees them.

``sources.py GATEWAY ADDRESS…``, addresses as ``https://host:port``.  A call to the loopback interface is
passed on by the engine's proxy, and comes from ``GATEWAY``.
"""

import ipaddress
import socket
import sys
from urllib.parse import urlsplit

gateway, *addresses = sys.argv[1:]
sources = set()
for address in addresses:
    url = urlsplit(address)
    family, kind, _, _, peer = socket.getaddrinfo(url.hostname, url.port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind) as probe:
        # Of a datagram socket: sends nothing, and chooses the route.
        probe.connect(peer)
        source = probe.getsockname()[0]
    sources.add(gateway if ipaddress.ip_address(source).is_loopback else source)
sys.stdout.writelines(f"{source}\n" for source in sorted(sources))
