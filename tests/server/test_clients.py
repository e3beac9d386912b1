"""server.clients: no network has everything, and whoever has most makes room."""

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network

import gevent
import pytest
from gevent.event import Event

from service.server.clients import Client, Clients

MEGABYTE = 2**20


class House:
    """Clients whose connections wait until they are ended."""

    def __init__(self, *trusted: str) -> None:
        self.clients = Clients(8, 8, 4 * MEGABYTE, tuple(map(ip_network, trusted)))
        self.ended: list[str] = []

    def enter(self, name: str, address: str, body_bytes: int = 0) -> Client | None:
        """Let a client wait for the rest of its request."""
        client = self.clients.admit(address)
        if client is not None:
            client.greenlet = gevent.spawn(self._wait, client, name, body_bytes)
            gevent.sleep(0)
        return client

    def _wait(self, client: Client, name: str, body_bytes: int) -> None:
        try:
            self.clients.start_waiting(client)
            self.clients.reserve(client, body_bytes, lambda: 1.0)
            Event().wait()
        finally:
            self.ended.append(name)
            self.clients.leave(client)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fail if it takes longer."""
    with gevent.Timeout(seconds):
        yield


def test_a_network_beyond_its_part_ends_its_own() -> None:
    """A quarter of eight is two; addresses of a /64 are one network."""
    house = House()
    house.enter("other", "192.0.2.1")
    for number in range(4):
        house.enter(f"v6 {number}", f"2001:db8::{number}")
    gevent.sleep(0)

    assert ["v6 0", "v6 1"] == house.ended


def test_a_request_that_is_complete_as_its_client_is_ended_is_not_begun() -> None:
    """Otherwise it would be ended in the midst of its work, with whatever it holds for others."""
    clients = Clients(4, 4, MEGABYTE, ())
    client = clients.admit("192.0.2.1")
    assert client is not None
    arrived, begun = Event(), []

    def serve() -> None:
        clients.start_waiting(client)
        arrived.wait()
        clients.stop_waiting(client)
        begun.append(client)

    client.greenlet = gevent.spawn(serve)
    gevent.sleep(0)
    arrived.set()
    clients.admit("192.0.2.1")
    client.greenlet.join(1)

    assert client.greenlet.dead
    assert [] == begun


def test_a_network_with_all_its_connections_answered_gets_no_more() -> None:
    """The rest of the process is not its."""
    house = House()
    for _ in range(2):
        client = house.enter("answered", "192.0.2.1")
        assert client is not None
        house.clients.stop_waiting(client)

    assert house.enter("next", "192.0.2.1") is None
    assert house.enter("other", "192.0.2.2") is not None


def test_if_all_connections_are_taken_the_largest_network_makes_room() -> None:
    """Whoever has one keeps it, however long it has been silent."""
    house = House("198.51.100.0/24")
    house.enter("first", "192.0.2.1")
    for number in range(7):
        house.enter(f"proxy {number}", "198.51.100.1")
    house.enter("last", "192.0.2.2")
    gevent.sleep(0)

    assert ["proxy 0"] == house.ended


def test_what_a_proxy_has_is_not_bounded() -> None:
    """Behind it there are many clients, with whatever addresses."""
    house = House("198.51.100.0/24")
    for number in range(8):
        assert house.enter(f"proxy {number}", "198.51.100.1") is not None

    assert [] == house.ended


def test_one_network_leaves_places_to_others() -> None:
    """Seven of eight."""
    house = House()
    client = house.clients.admit("192.0.2.1")
    other = house.clients.admit("192.0.2.2")
    assert client is not None
    assert other is not None
    of_network, of_process = client.places
    for _ in range(7):
        of_network.acquire(timeout=0)
        of_process.acquire(timeout=0)

    assert not of_network.acquire(timeout=0)
    assert other.places[0].acquire(timeout=0)
    assert other.places[1].acquire(timeout=0)


def test_a_body_waits_for_memory_and_then_takes_that_of_whoever_has_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of those that have had it for some time."""
    monkeypatch.setattr("service.server.clients._PATIENCE_SECONDS", 0.3)
    house = House()
    house.enter("small 0", "192.0.2.1", MEGABYTE)
    house.enter("large 0", "192.0.2.2", MEGABYTE)
    house.enter("large 1", "192.0.2.2", MEGABYTE)
    house.enter("small 1", "192.0.2.3", MEGABYTE)
    waiting = house.clients.admit("192.0.2.4")
    assert waiting is not None

    with pytest.raises(gevent.Timeout), within(0.15):
        house.clients.reserve(waiting, MEGABYTE, lambda: 1.0)
    assert [] == house.ended
    with within(1):
        house.clients.reserve(waiting, MEGABYTE, lambda: 1.0)
    gevent.sleep(0)

    assert ["large 0"] == house.ended


def test_bodies_of_one_network_leave_memory_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of it, however many of them wait: they only end each other."""
    monkeypatch.setattr("service.server.clients._PATIENCE_SECONDS", 0.05)
    house = House()
    house.enter("other", "192.0.2.1", MEGABYTE)
    for number in range(2):
        house.enter(f"many {number}", "2001:db8::1", MEGABYTE)
    third = house.clients.admit("2001:db8::2")
    assert third is not None

    with within(1):
        house.clients.reserve(third, MEGABYTE, lambda: 1.0)
    gevent.sleep(0)
    assert "other" not in house.ended
    with within(0.05):
        house.enter("next", "192.0.2.2", MEGABYTE)


def test_a_short_body_waits_for_nothing() -> None:
    """Most requests have one."""
    house = House()
    for number in range(4):
        house.enter("large", f"192.0.2.{number}", MEGABYTE)

    with within(0.05):
        house.enter("short", "192.0.2.9", 16_384)

    assert [] == house.ended


def test_a_body_waits_no_longer_than_its_request_may_take() -> None:
    """Those that are being answered keep their memory."""
    house = House()
    client = house.enter("answered", "192.0.2.1", 4 * MEGABYTE)
    assert client is not None
    house.clients.stop_waiting(client)

    def too_late() -> float:
        raise TimeoutError

    late = house.clients.admit("192.0.2.2")
    assert late is not None
    with pytest.raises(TimeoutError):
        house.clients.reserve(late, MEGABYTE, too_late)
