"""Shares a process's connections, places and memory out among its clients, by their networks.

Before a request has arrived, only the address of its connection is known.  An IPv6 /64 is one network (see
``networks``), and none can have everything.  If there is too little for all, the one that has most of it
gives back what it has had longest, unless that is being answered.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from ipaddress import ip_address

import gevent
from gevent.lock import BoundedSemaphore

from ..environment import Network
from ..networks import client_network

# Of a process's connections, places and memory for bodies, what one network may have.  An office behind one
# address has some dozens of connections, a benchmark a hundred or two.
_CONNECTIONS_PART = 1 / 4
_PLACES_PART = 7 / 8
_BODIES_PART = 1 / 2
# Shorter bodies are bounded by the number of connections.
_SMALL_BODY_BYTES = 16_384
# How long a body may take if others wait for its memory; an honest client needs less.
_PATIENCE_SECONDS = 1.0
_PAUSE_SECONDS = 0.1


class Client:
    """A connection; ``places`` are what a request on it takes while it is being answered."""

    greenlet: gevent.Greenlet

    def __init__(self, group: _Group, places: tuple[AbstractContextManager[object], ...]) -> None:
        self.group = group
        self.places = places
        self.body_bytes = 0
        self.body_since = 0.0


class _Group:
    """The clients of one network."""

    def __init__(self, name: str, max_clients: float, max_places: int, max_body_bytes: float) -> None:
        self.name = name
        self.max_clients = max_clients
        self.max_body_bytes = max_body_bytes
        self.places = BoundedSemaphore(max_places)
        self.clients = 0
        self.body_bytes = 0
        # Those that wait for a complete request, in the order in which they began to.
        self.waiting: dict[Client, None] = {}


class Clients:
    """The clients of one process.

    It has ``max_connections``, ``max_places`` requests that are answered at once, and ``max_body_bytes`` for
    long bodies.  Networks in ``trusted`` are proxies, behind each of which there are many: they are not
    bounded.
    """

    def __init__(
        self, max_connections: int, max_places: int, max_body_bytes: int, trusted: tuple[Network, ...]
    ) -> None:
        self._max_connections = max_connections
        self._max_places = max_places
        self._max_body_bytes = max_body_bytes
        self._trusted = trusted
        self._places = BoundedSemaphore(max_places)
        self._groups: dict[str, _Group] = {}
        self._local = _Group("", math.inf, max_places, math.inf)
        self._connections = 0
        self._body_bytes = 0

    def admit(self, address: str) -> Client | None:
        """Return the client of a new connection, after making room for it.

        None if its network has all connections that it may have, and each of them is being answered.
        """
        group = self._group(address)
        if group.clients >= group.max_clients:
            if not group.waiting:
                # Connections of a burst wait once their greenlets have begun.
                gevent.sleep(0)
            if not group.waiting:
                return None
            self._end(next(iter(group.waiting)))
        else:
            self._make_room()
            group = self._group(address)
        return self._join(group, (group.places, self._places))

    def admit_local(self) -> Client:
        """Return the client of a connection that nobody else can make: nothing bounds it."""
        return self._join(self._local, (nullcontext(), nullcontext()))

    def leave(self, client: Client) -> None:
        """Forget a client, because its connection has ended."""
        client.group.waiting.pop(client, None)
        self.release(client)
        # It refers to the client, too: the two would stay until garbage is collected, with what it read.
        del client.greenlet
        self._connections -= 1
        client.group.clients -= 1
        if not client.group.clients:
            self._groups.pop(client.group.name, None)

    def start_waiting(self, client: Client) -> None:
        """Note that a client's connection waits for a complete request, and may be ended."""
        client.group.waiting[client] = None

    def stop_waiting(self, client: Client) -> None:
        """Note that a client's request is complete: from now on its greenlet is not ended.

        Raises:
            GreenletExit: it was ended at the moment in which the rest of its request arrived.
        """
        if client not in client.group.waiting:
            raise gevent.GreenletExit
        del client.group.waiting[client]

    def end_waiting(self) -> None:
        """End all connections that wait for a complete request."""
        for group in (*self._groups.values(), self._local):
            for client in list(group.waiting):
                self._end(client)

    def reserve(self, client: Client, body_bytes: int, seconds_left: Callable[[], float]) -> None:
        """Wait until there is memory for a body; ``seconds_left`` raises an error if it is too late."""
        if body_bytes <= _SMALL_BODY_BYTES:
            return
        while (crowded := self._short_of_memory(client.group, body_bytes)) is not None:
            seconds_left()
            longest = next((each for each in crowded.waiting if each.body_bytes), None)
            if longest is not None and time.monotonic() >= longest.body_since + _PATIENCE_SECONDS:
                self._end(longest)
            else:
                gevent.sleep(_PAUSE_SECONDS)
        client.body_since = time.monotonic()
        self._add_bytes(client, body_bytes)

    def release(self, client: Client) -> None:
        """Note that the memory for a client's body is free again."""
        self._add_bytes(client, -client.body_bytes)

    def _short_of_memory(self, group: _Group, body_bytes: int) -> _Group | None:
        """Return which network has too much for another body of ``group``; None if there is room."""
        # First: so those of a network with many bodies compete with each other, and not with other networks'.
        if group.body_bytes and group.body_bytes + body_bytes > group.max_body_bytes:
            return group
        if self._body_bytes + body_bytes > self._max_body_bytes:
            return max((*self._groups.values(), self._local), key=lambda each: each.body_bytes)
        return None

    def _make_room(self) -> None:
        pause = 0.0
        while self._connections >= self._max_connections:
            waiting = [group for group in self._groups.values() if group.waiting]
            if waiting:
                self._end(next(iter(max(waiting, key=lambda group: group.clients).waiting)))
                return
            gevent.sleep(pause)
            pause = _PAUSE_SECONDS

    def _group(self, address: str) -> _Group:
        trusted = self._is_trusted(address)
        name = address if trusted else client_network(address)
        if name not in self._groups:
            if trusted:
                self._groups[name] = _Group(name, math.inf, self._max_places, math.inf)
            else:
                self._groups[name] = _Group(
                    name,
                    max(1, int(self._max_connections * _CONNECTIONS_PART)),
                    max(1, int(self._max_places * _PLACES_PART)),
                    self._max_body_bytes * _BODIES_PART,
                )
        return self._groups[name]

    def _is_trusted(self, address: str) -> bool:
        if not self._trusted:
            return False
        found = ip_address(address.partition("%")[0])
        found = getattr(found, "ipv4_mapped", None) or found
        return any(found in network for network in self._trusted)

    def _join(self, group: _Group, places: tuple[AbstractContextManager[object], ...]) -> Client:
        group.clients += 1
        self._connections += 1
        return Client(group, places)

    def _end(self, client: Client) -> None:
        """End a client that waits; it leaves when its greenlet gets to it."""
        del client.group.waiting[client]
        self.release(client)
        client.greenlet.kill(block=False)

    def _add_bytes(self, client: Client, count: int) -> None:
        for each in (client, client.group):
            each.body_bytes += count
        self._body_bytes += count
