"""Reads variables from the environment, each as ``NAME`` or as ``NAME_FILE``; never guesses.

A value that is empty, set twice or invalid is an error; the message names the variable and says what is
accepted.  It never repeats the value: a secret may have been put into the wrong variable.
"""

from __future__ import annotations

import os
import re
from collections import ChainMap
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from .errors import ConfigurationError
from .hardening import erase_variable

# The container health check reads its variables with this module and runs every few seconds.  It does not
# need the modules for networks and paths, nor those behind dataclasses, and would spend more on them than
# on the check itself.
if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network
    from pathlib import Path

Network: TypeAlias = "IPv4Network | IPv6Network"

# Default of LISTEN, for the server and for the commands that call it on its own machine.
DEFAULT_LISTEN = "0.0.0.0:8000"

# What they hold is a credential, so they leave the environment when it is read; the values stay here, for a
# reload of the settings and, after a fork, for the workers.
_CREDENTIALS = ("MASTER_KEY", "MONGO_URI")
_credentials: dict[str, str] = {}

_HOST_NAME = re.compile(r"[A-Za-z0-9._-]{1,253}", re.ASCII)
_ORIGIN = re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?", re.ASCII)
_ADDRESS = re.compile(r"(?:(?P<name>[A-Za-z0-9.-]+)|\[(?P<ipv6>[0-9A-Fa-f:.]+)\]):(?P<port>[0-9]{1,5})")


class Address(NamedTuple):
    """Where a server listens; an IPv6 ``host`` is without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        """Return the address as URLs and gunicorn write it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def reachable(self) -> Address:
        """The address at which this machine reaches a server that listens here."""
        wildcards = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  (replaced, not bound)
        return Address(wildcards.get(self.host, self.host), self.port)


class Environment:
    """The variables of one process: those of ``process_environment``, or a test's own mapping.

    Every method but ``read_bytes`` raises ConfigurationError if the value is invalid, or as ``read_bytes``.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def read_bytes(self, name: str) -> bytes | None:
        """Return a variable's bytes unchanged, or None if it is not set.

        Raises:
            ConfigurationError: both ``name`` and ``name_FILE`` are set, or the file cannot be read.
        """
        value, file = self._variables.get(name), self._variables.get(f"{name}_FILE")
        if value is not None and file is not None:
            raise ConfigurationError(f"{name} and {name}_FILE are both set: remove one of them")
        if file is not None:
            from pathlib import Path

            return read_file(f"{name}_FILE", Path(file))
        return None if value is None else os.fsencode(value)

    def text(self, name: str, default: str) -> str:
        """Return a variable as non-empty text without surrounding white space."""
        text = self._text(name)
        if text is None:
            return default
        if not text:
            raise ConfigurationError(f"{name} is empty: set a value, or remove it to use the default")
        return text

    def boolean(self, name: str, default: bool) -> bool:
        """Return whether the variable says yes: ``true``, ``1``, ``yes`` or ``on``, in any case."""
        match self.text(name, str(default)).lower():
            case "true" | "1" | "yes" | "on":
                return True
            case "false" | "0" | "no" | "off":
                return False
        raise ConfigurationError(f"{name} is neither true nor false: set it to one of them")

    def integer(self, name: str, default: int, lowest: int, highest: int) -> int:
        """Return a whole number from ``lowest`` to ``highest``, both included."""
        text = self.text(name, str(default))
        # int() also accepts signs, underscores and digits of other scripts, and has an error of its own for
        # thousands of digits.
        if not (text.isascii() and text.isdigit() and len(text) <= 20):
            raise ConfigurationError(f"{name} is not a whole number from {lowest} to {highest}")
        if not lowest <= int(text) <= highest:
            raise ConfigurationError(f"{name} is out of range: it must be from {lowest} to {highest}")
        return int(text)

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        """Return one of ``choices``, which may be written in any case."""
        text = self.text(name, default).upper()
        if text not in choices:
            raise ConfigurationError(f"{name} must be one of {', '.join(choices)}")
        return text

    def address(self, name: str, default: str) -> Address:
        """Return an address to listen on, from ``host:port`` or ``[host]:port``."""
        match = _ADDRESS.fullmatch(self.text(name, default))
        if not match or not 1 <= int(match["port"]) <= 65535:
            raise ConfigurationError(
                f"{name} takes an address and a port, such as 127.0.0.1:8000 or [::1]:8000"
            )
        return Address(match["name"] or match["ipv6"], int(match["port"]))

    def networks(self, name: str, default: str = "") -> tuple[Network, ...]:
        """Return the networks of a comma-separated list of networks and addresses, which may be empty."""
        from ipaddress import ip_network

        try:
            return tuple(ip_network(item) for item in self.items(name, default))
        except ValueError:
            raise ConfigurationError(
                f"{name} takes networks separated by commas, such as 10.0.0.0/8,192.0.2.7"
                " (with no host bits set)"
            ) from None

    def names(self, name: str) -> tuple[str, ...]:
        """Return the host names of a comma-separated list, which may be empty."""
        names = self.items(name)
        if not all(_HOST_NAME.fullmatch(each) for each in names):
            raise ConfigurationError(
                f"{name} takes host names separated by commas, without ports, such as vault.example.org"
            )
        return names

    def items(self, name: str, default: str = "") -> tuple[str, ...]:
        """Return the items of a comma-separated list, which may be empty."""
        text = self._text(name)
        parts = (default if text is None else text).split(",")
        return tuple(part.strip() for part in parts if part.strip())

    def _text(self, name: str) -> str | None:
        raw = self.read_bytes(name)
        try:
            return None if raw is None else raw.decode().strip()
        except UnicodeDecodeError:
            raise ConfigurationError(f"{name} is not UTF-8 text") from None


def process_environment() -> Environment:
    """Return this process's variables; credentials among them leave its environment.

    Neither a child process nor ``/proc/PID/environ`` has them from then on.
    """
    for name in _CREDENTIALS:
        if name in os.environ:
            _credentials[name] = os.environ[name]
            erase_variable(name)
    return Environment(ChainMap(_credentials, os.environ))


def read_file(name: str, path: Path) -> bytes:
    """Return a file's bytes.

    Raises:
        ConfigurationError: the file cannot be read; the message contains ``name`` and the path.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{name}: cannot read {path}: {error.strerror}") from None


def is_origin(text: str) -> bool:
    """Return whether a text is scheme, host and port of an HTTP server, and nothing else."""
    return _ORIGIN.fullmatch(text) is not None
