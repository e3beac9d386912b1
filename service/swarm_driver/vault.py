"""Calls the vault's API, at the first address of a list that answers, over connections that are kept."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import http1
from .configuration import Address, Configuration
from .errors import InvalidAnswer, VaultNotReached
from .http1 import BadMessage, Response, TooLarge

# For the connection and the TLS handshake: a machine that is off, or a process that hangs, takes no longer
# from a call, and the next address gets the rest of its time.
CONNECT_SECONDS = 0.5
# An address that did not answer is the last to be asked for this long.
DISTRUST_SECONDS = 30.0
# Networks forget connections that are idle, without telling either end.
_MAX_IDLE_SECONDS = 30.0
# The base64 of the longest value that Swarm takes, 683 KB, and what is around it.
_MAX_RESPONSE_BYTES = 1_048_576


@dataclass(slots=True)
class _Connection:
    address: Address
    tls: ssl.SSLContext | None
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    idle_since: float = 0.0

    def is_usable(self) -> bool:
        is_fresh = time.monotonic() - self.idle_since < _MAX_IDLE_SECONDS
        return is_fresh and not self.reader.at_eof() and not self.writer.is_closing()

    def close(self) -> None:
        # Without TLS's goodbye, for which a peer that hangs would let the process wait.
        self.writer.transport.abort()


class Vault:
    """The vault, as ``Configuration`` tells where it is; used by one event loop."""

    def __init__(self) -> None:
        self._idle: list[_Connection] = []
        self._distrusted_until: dict[Address, float] = {}

    async def post(
        self,
        configuration: Configuration,
        path: str,
        document: Mapping[str, Any],
        deadline: float,
        unreached: int = 0,
    ) -> Response:
        """Return the answer to ``document``, before ``deadline`` in the time of the event loop.

        ``unreached`` is how many calls did not reach the vault, for it to count.

        If one address breaks off, the next is asked: a call may so reach the vault twice.

        Raises:
            VaultNotReached: no address answered; the message says what became of each.
            InvalidAnswer: the answer is too long to hold a value that Swarm takes.
        """
        self._keep_only(configuration)
        body = json.dumps(document).encode()
        tried: list[str] = []
        address = configuration.addresses[0]
        try:
            async with asyncio.timeout_at(deadline):
                for address in self._in_order(configuration.addresses):
                    try:
                        request = _request(address, configuration.token, path, body, unreached)
                        return await self._ask(address, configuration.tls, request)
                    except TooLarge:
                        raise InvalidAnswer(
                            "the answer of the vault is too long: no value that Swarm takes"
                        ) from None
                    except (OSError, EOFError, BadMessage) as error:
                        tried.append(f"{address}: {_cause(error)}")
                        self._distrust(address)
        except TimeoutError:
            tried.append(f"{address}: no answer in time")
            self._distrust(address)
        raise VaultNotReached(f"vault not reachable: {'; '.join(tried)}")

    def close(self) -> None:
        """Close the connections that no call uses."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    async def _ask(self, address: Address, tls: ssl.SSLContext | None, request: bytes) -> Response:
        while connection := self._take_idle(address):
            try:
                return await self._exchange(connection, request)
            except ConnectionError:
                continue  # The vault closed it while the request was on its way.
            except asyncio.IncompleteReadError as error:
                if error.partial:
                    raise
        return await self._exchange(await _connect(address, tls), request)

    async def _exchange(self, connection: _Connection, request: bytes) -> Response:
        is_reusable = False
        try:
            connection.writer.write(request)
            await connection.writer.drain()
            response = await http1.read_response(connection.reader, _MAX_RESPONSE_BYTES)
            is_reusable = response.persistent
        finally:
            # Also if the time is up: what would arrive later belongs to no other call.
            if is_reusable:
                connection.idle_since = time.monotonic()
                self._idle.append(connection)
            else:
                connection.close()
        return response

    def _take_idle(self, address: Address) -> _Connection | None:
        for connection in reversed(self._idle):
            if connection.address == address:
                self._idle.remove(connection)
                if connection.is_usable():
                    return connection
                connection.close()
        return None

    def _keep_only(self, configuration: Configuration) -> None:
        """Close idle connections of an earlier configuration."""
        for connection in list(self._idle):
            if connection.address not in configuration.addresses or connection.tls is not configuration.tls:
                self._idle.remove(connection)
                connection.close()

    def _in_order(self, addresses: Sequence[Address]) -> list[Address]:
        now = time.monotonic()
        self._distrusted_until = {
            address: until for address, until in self._distrusted_until.items() if until > now
        }
        return sorted(addresses, key=lambda address: address in self._distrusted_until)

    def _distrust(self, address: Address) -> None:
        self._distrusted_until[address] = time.monotonic() + DISTRUST_SECONDS
        for connection in [each for each in self._idle if each.address == address]:
            self._idle.remove(connection)
            connection.close()


async def _connect(address: Address, tls: ssl.SSLContext | None) -> _Connection:
    async with asyncio.timeout(CONNECT_SECONDS):
        reader, writer = await asyncio.open_connection(
            address.host, address.port, ssl=tls if address.tls else None, limit=http1.MAX_HEAD_BYTES
        )
    return _Connection(address, tls, reader, writer)


def _request(address: Address, token: str, path: str, body: bytes, unreached: int) -> bytes:
    # A header, because a vault of an earlier version refuses fields that it does not know.
    report = f"Secret-Manager-Unreached: {unreached}\r\n" if unreached else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {address.authority}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{report}\r\n"
    )
    return head.encode("ascii") + body


def _cause(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no connection within {CONNECT_SECONDS} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return "no TLS connection"
    if isinstance(error, EOFError):
        return "the connection was closed without a whole answer"
    if isinstance(error, OSError):
        # The event loop's own message repeats the address; a resolver's numbers are not errno's.
        return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror or error)
    return str(error)
