"""networks: who counts as one client, and who is in a network."""

import pytest

from service.networks import client_network, is_within


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:0:1::7", "2001:db8:0:1::/64"),
        ("2001:db8:0:1:ffff::", "2001:db8:0:1::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_one_client_is_one_network(address: str, network: str) -> None:
    """An IPv4 address, or what a provider gives to one customer."""
    assert network == client_network(address)


@pytest.mark.parametrize(
    ("address", "within"),
    [
        ("10.1.2.3", True),
        ("192.0.2.7", True),
        ("192.0.2.8", False),
        ("2001:db8::1", True),
        ("unknown", False),
    ],
)
def test_an_address_is_within_networks_or_not(address: str, within: bool) -> None:
    """What is no address is nowhere."""
    assert within is is_within(address, ("10.0.0.0/8", "192.0.2.7", "2001:db8::/32"))
