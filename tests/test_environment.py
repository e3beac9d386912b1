"""environment: an invalid value is an error that names the variable and never repeats the value."""

from pathlib import Path

import pytest

from service.environment import Address, Environment
from service.errors import ConfigurationError


def test_reads_a_value_from_its_file(tmp_path: Path) -> None:
    """Docker secrets are files: NAME_FILE is equivalent to NAME."""
    file = tmp_path / "uri"
    file.write_text("mongodb://db\n")

    assert Environment({"MONGO_URI_FILE": str(file)}).text("MONGO_URI", "") == "mongodb://db"


def test_refuses_a_variable_and_its_file() -> None:
    """The service does not guess which of the two is meant."""
    with pytest.raises(ConfigurationError, match="LOG_LEVEL and LOG_LEVEL_FILE are both set"):
        Environment({"LOG_LEVEL": "INFO", "LOG_LEVEL_FILE": "/x"}).text("LOG_LEVEL", "INFO")


def test_refuses_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """The message names the variable, the path and the reason."""
    with pytest.raises(ConfigurationError, match=r"MONGO_URI_FILE: cannot read .*missing: No such file"):
        Environment({"MONGO_URI_FILE": str(tmp_path / "missing")}).text("MONGO_URI", "")


@pytest.mark.parametrize("value", ["", " ", "abc", "1.5", "-1", "+1", "1_0", "٣", "1e3", "9" * 5000, "11"])
def test_refuses_invalid_numbers(value: str) -> None:
    """Only plain digits in the range are accepted; the value is not repeated."""
    with pytest.raises(ConfigurationError, match="WORKERS") as caught:
        Environment({"WORKERS": value}).integer("WORKERS", 1, 0, 10)

    assert "9999" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "meaning"), [("true", True), ("False", False), ("1", True), ("off", False)]
)
def test_reads_booleans(value: str, meaning: bool) -> None:
    """The usual words, in any case."""
    assert meaning is Environment({"AUDIT_ENABLED": value}).boolean("AUDIT_ENABLED", not meaning)


@pytest.mark.parametrize("value", ["", "maybe", "2"])
def test_refuses_other_booleans(value: str) -> None:
    """AUDIT_ENABLED=flase must neither turn auditing on nor off."""
    with pytest.raises(ConfigurationError, match="AUDIT_ENABLED"):
        Environment({"AUDIT_ENABLED": value}).boolean("AUDIT_ENABLED", True)


def test_reads_networks() -> None:
    """Addresses and networks, with spaces between them."""
    networks = Environment({"TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.7,::1"}).networks("TRUSTED_PROXIES")

    assert ["10.0.0.0/8", "192.0.2.7/32", "::1/128"] == [str(network) for network in networks]
    assert Environment({"TRUSTED_PROXIES": ""}).networks("TRUSTED_PROXIES") == ()


@pytest.mark.parametrize("value", ["10.0.0.1/8", "proxy", "10.0.0.0/33", "*"])
def test_refuses_invalid_networks(value: str) -> None:
    """With a typo the wrong proxies would be trusted."""
    with pytest.raises(ConfigurationError, match="TRUSTED_PROXIES"):
        Environment({"TRUSTED_PROXIES": value}).networks("TRUSTED_PROXIES")


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("127.0.0.1:80", Address("127.0.0.1", 80)),
        ("[::1]:8000", Address("::1", 8000)),
        ("api:1", Address("api", 1)),
    ],
)
def test_reads_addresses(value: str, address: Address) -> None:
    """And writes them in the same form."""
    assert address == Environment({"LISTEN": value}).address("LISTEN", "")
    assert value == str(address)


@pytest.mark.parametrize("value", ["8000", ":8000", "host:", "host:0", "host:65536", "::1:8000", "unix:/x"])
def test_refuses_invalid_addresses(value: str) -> None:
    """gunicorn would interpret some of these in another way."""
    with pytest.raises(ConfigurationError, match="LISTEN"):
        Environment({"LISTEN": value}).address("LISTEN", "")


def test_a_wildcard_address_is_reachable_at_loopback() -> None:
    """The health check of a container calls its own loopback."""
    assert Address("0.0.0.0", 8000).reachable == Address("127.0.0.1", 8000)  # noqa: S104  (not bound)
    assert Address("::", 8000).reachable == Address("::1", 8000)
    assert Address("192.0.2.1", 8000).reachable == Address("192.0.2.1", 8000)


def test_refuses_text_that_is_not_utf8(tmp_path: Path) -> None:
    """Only keys may be arbitrary bytes."""
    file = tmp_path / "uri"
    file.write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigurationError, match="MONGO_URI is not UTF-8"):
        Environment({"MONGO_URI_FILE": str(file)}).text("MONGO_URI", "")
