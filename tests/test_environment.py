"""environment: a doubtful value is refused with the variable's name, and never repeated."""

from pathlib import Path

import pytest

from service.environment import Address, Environment
from service.errors import ConfigurationError


def test_reads_a_value_from_its_file(tmp_path: Path) -> None:
    """Docker secrets arrive as files: NAME_FILE is as good as NAME."""
    file = tmp_path / "uri"
    file.write_text("mongodb://db\n")

    assert Environment({"MONGO_URI_FILE": str(file)}).text("MONGO_URI", "") == "mongodb://db"


def test_refuses_a_variable_and_its_file() -> None:
    """Which of the two is meant is not for the service to guess."""
    with pytest.raises(ConfigurationError, match="LOG_LEVEL and LOG_LEVEL_FILE are both set"):
        Environment({"LOG_LEVEL": "INFO", "LOG_LEVEL_FILE": "/x"}).text("LOG_LEVEL", "INFO")


def test_refuses_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """The message names the variable, the path and the reason."""
    with pytest.raises(ConfigurationError, match=r"MONGO_URI_FILE: cannot read .*missing: No such file"):
        Environment({"MONGO_URI_FILE": str(tmp_path / "missing")}).text("MONGO_URI", "")


@pytest.mark.parametrize("value", ["", " ", "abc", "1.5", "-1", "+1", "1_0", "٣", "1e3", "9" * 5000, "11"])
def test_refuses_nonsense_numbers(value: str) -> None:
    """Only plain digits inside the range are a number; the value is not repeated."""
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
    """AUDIT_ENABLED=flase must not turn auditing on or off."""
    with pytest.raises(ConfigurationError, match="AUDIT_ENABLED"):
        Environment({"AUDIT_ENABLED": value}).boolean("AUDIT_ENABLED", True)


def test_reads_networks() -> None:
    """Addresses and networks, with blanks between them."""
    networks = Environment({"TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.7,::1"}).networks("TRUSTED_PROXIES")

    assert ["10.0.0.0/8", "192.0.2.7/32", "::1/128"] == [str(network) for network in networks]
    assert Environment({"TRUSTED_PROXIES": ""}).networks("TRUSTED_PROXIES") == ()


@pytest.mark.parametrize("value", ["10.0.0.1/8", "proxy", "10.0.0.0/33", "*"])
def test_refuses_what_is_no_network(value: str) -> None:
    """A typo here would believe the wrong people."""
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
    """And writes them as they were."""
    assert address == Environment({"LISTEN": value}).address("LISTEN", "")
    assert value == str(address)


@pytest.mark.parametrize("value", ["8000", ":8000", "host:", "host:0", "host:65536", "::1:8000", "unix:/x"])
def test_refuses_what_is_no_address(value: str) -> None:
    """Before gunicorn makes something else of it."""
    with pytest.raises(ConfigurationError, match="LISTEN"):
        Environment({"LISTEN": value}).address("LISTEN", "")


def test_knows_where_a_wildcard_is_reached() -> None:
    """The health check of a container asks its own loopback."""
    assert Address("0.0.0.0", 8000).reachable == Address("127.0.0.1", 8000)  # noqa: S104  (not bound)
    assert Address("::", 8000).reachable == Address("::1", 8000)
    assert Address("192.0.2.1", 8000).reachable == Address("192.0.2.1", 8000)


def test_refuses_text_that_is_not_utf8(tmp_path: Path) -> None:
    """Bytes are for keys; everything else is text."""
    file = tmp_path / "uri"
    file.write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigurationError, match="MONGO_URI is not UTF-8"):
        Environment({"MONGO_URI_FILE": str(file)}).text("MONGO_URI", "")
