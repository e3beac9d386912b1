"""The configuration folder: addresses, CA and token, read at each call, so that a change needs no restart.

================ =====================================================================================
``driver.json``  ``addresses``: of the API, this node's first, as ``https://host:port``; optionally
                 ``own_stacks``: stacks that must start without the vault, by default ``secret-manager``
``ca.pem``       the CA that issued the API's certificate; needed for addresses with ``https``
``token``        the driver's token; a file with mode 0600
================ =====================================================================================
"""

from __future__ import annotations

import json
import os
import re
import ssl
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from .errors import InvalidConfiguration

DEFAULT_OWN_STACKS = ("secret-manager",)

_MAX_BYTES = 1_048_576
_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?:(?P<name>[A-Za-z0-9.-]+)|\[(?P<ipv6>[0-9A-Fa-f:]+)\]):(?P<port>[0-9]{1,5})/?"
)
_TOKEN = re.compile(r"[!-~]{1,1024}")


class Address(NamedTuple):
    """Where the API listens; an IPv6 ``host`` is without brackets."""

    tls: bool
    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host and port, as in the header ``Host``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        """Return it as it is configured."""
        return f"{'https' if self.tls else 'http'}://{self.authority}"


@dataclass(frozen=True, slots=True)
class Configuration:
    """What is in the folder now; ``tls`` is None without ``https``, and the same object while the CA is."""

    addresses: tuple[Address, ...]
    own_stacks: tuple[str, ...]
    tls: ssl.SSLContext | None
    token: str = field(repr=False)


class ConfigurationFolder:
    """Reads the folder; what is made of the CA is kept while the file does not change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ca: tuple[bytes, ssl.SSLContext] | None = None

    def read(self) -> Configuration:
        """Return the configuration.

        Raises:
            InvalidConfiguration: it cannot be used; the message names the file, and never quotes the token.
        """
        addresses, own_stacks = self._read_settings()
        tls = self._read_ca() if any(address.tls for address in addresses) else None
        return Configuration(addresses, own_stacks, tls, self._read_token())

    def _read_settings(self) -> tuple[tuple[Address, ...], tuple[str, ...]]:
        file = self._folder / "driver.json"
        try:
            document = json.loads(_read(file)[0])
        except (ValueError, RecursionError):
            raise InvalidConfiguration(f"{file} is not a JSON document") from None
        if not isinstance(document, dict) or document.keys() - {"addresses", "own_stacks"}:
            raise InvalidConfiguration(f"{file} must be an object with addresses and, optionally, own_stacks")
        own_stacks = document.get("own_stacks", list(DEFAULT_OWN_STACKS))
        if not _are_names(own_stacks):
            raise InvalidConfiguration(f"{file}: own_stacks must be a list of names of stacks")
        addresses = document.get("addresses")
        if not (_are_names(addresses) and addresses):
            raise InvalidConfiguration(f"{file}: addresses must be a list with at least one address")
        return tuple(_address(file, text) for text in addresses), tuple(own_stacks)

    def _read_ca(self) -> ssl.SSLContext:
        file = self._folder / "ca.pem"
        pem = _read(file)[0]
        if self._ca is None or self._ca[0] != pem:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            try:
                context.load_verify_locations(cadata=pem.decode("ascii"))
            except (ValueError, ssl.SSLError):
                raise InvalidConfiguration(f"{file} has no readable certificate: it must be PEM") from None
            self._ca = pem, context
        return self._ca[1]

    def _read_token(self) -> str:
        file = self._folder / "token"
        content, mode = _read(file)
        if mode & 0o077:
            raise InvalidConfiguration(f"{file} has mode {mode:04o}: nobody else may read it, set 0600")
        token = content.decode("latin-1").strip()
        if not _TOKEN.fullmatch(token):
            raise InvalidConfiguration(f"{file} does not hold one token and nothing else")
        return token


def _read(file: Path) -> tuple[bytes, int]:
    """Return a file's bytes and its mode."""
    try:
        with file.open("rb") as opened:
            return opened.read(_MAX_BYTES), stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
    except OSError as error:
        raise InvalidConfiguration(f"cannot read {file}: {error.strerror}") from None


def _are_names(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(name, str) and name for name in found)


def _address(file: Path, text: str) -> Address:
    match = _ADDRESS.fullmatch(text)
    if not match or not 1 <= int(match["port"]) <= 65_535:
        raise InvalidConfiguration(f"{file}: an address must look like https://192.0.2.11:8000")
    return Address(match["scheme"] == "https", match["name"] or match["ipv6"], int(match["port"]))
