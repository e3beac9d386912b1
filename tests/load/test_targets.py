"""load.targets: load never reaches a foreign machine."""

import pytest

from tests.load.errors import Refused
from tests.load.targets import own_node


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://10.0.0.11:8000/", "http://10.0.0.11:8000"),
        ("http://172.18.0.2", "http://172.18.0.2:80"),
        ("http://[fd00::1]:8000", "http://[fd00::1]:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://127.0.0.1:8000", "https://127.0.0.1:8000"),
        ("https://10.0.0.11/", "https://10.0.0.11:443"),
    ],
)
def test_takes_loopback_and_private_addresses(url: str, expected: str) -> None:
    """They are returned in one form."""
    assert expected == own_node(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://8.8.8.8:8000",
        "http://192.0.2.1:8000",
        "http://172.32.0.1:8000",
        "http://0.0.0.0:8000",
        "http://[::ffff:8.8.8.8]:8000",
        "http://[2001:db8::1]:8000",
        "http://example.com:8000",
        "http://localhost:8000",
        "http://127.0.0.1@example.com",
        "http://example.com@127.0.0.1",
        "http://127.0.0.1:8000/elsewhere",
        "http://127.0.0.1:8000?a=b",
        "http://127.0.0.1:port",
        "https://8.8.8.8:8000",
        "ftp://127.0.0.1:8000",
        "127.0.0.1:8000",
        "",
    ],
)
def test_refuses_everything_else(url: str) -> None:
    """Public addresses, names, and anything beyond an address and a port."""
    with pytest.raises(Refused):
        own_node(url)
