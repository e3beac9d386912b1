"""Reads HTTP/1.1 messages from a stream: the engine's requests, and the vault's responses.

Only what these two send is accepted: a ``Content-Length``, no chunks.  What is unclear about where a message
ends is an error, after which the connection must be closed.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

MAX_HEAD_BYTES = 65_536

_REQUEST_LINE = re.compile(r"([A-Z]{1,16}) (/[!-~]*) HTTP/1\.([01])")
_STATUS_LINE = re.compile(r"HTTP/1\.([01]) ([1-5][0-9]{2})(?: .*)?")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)", re.DOTALL)
_LENGTH = re.compile(r"[0-9]{1,15}", re.ASCII)


class BadMessage(Exception):
    """What arrived is not an HTTP message, or not one of these; ``status`` answers a request."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class TooLarge(BadMessage):
    """The body is longer than the caller takes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body has more than {limit} bytes", 413)


@dataclass(frozen=True, slots=True)
class Request:
    """A request; ``persistent`` says whether the client takes another response on this connection."""

    method: str
    target: str
    body: bytes
    persistent: bool


@dataclass(frozen=True, slots=True)
class Response:
    """A response; ``persistent`` says whether the server takes another request on this connection."""

    status: int
    body: bytes
    persistent: bool


async def read_request(reader: asyncio.StreamReader, first: bytes, max_bytes: int) -> Request:
    """Return the request that begins with ``first``, which was read already.

    Raises:
        BadMessage: it is malformed, or TooLarge.
        EOFError: the connection ended within it.
    """
    line, headers = await _read_head(reader, first)
    match = _REQUEST_LINE.fullmatch(line)
    if not match:
        raise BadMessage("the request line is not one of HTTP/1.1")
    body = await _read_body(reader, headers, max_bytes)
    return Request(match[1], match[2], body, _is_persistent(match[3], headers))


async def read_response(reader: asyncio.StreamReader, max_bytes: int) -> Response:
    """Return the next response.

    Raises:
        BadMessage: it is malformed, or TooLarge.
        EOFError: the connection ended before or within it.
    """
    line, headers = await _read_head(reader, b"")
    match = _STATUS_LINE.fullmatch(line)
    if not match:
        raise BadMessage("the answer is not HTTP/1.1")
    if "content-length" not in headers:
        raise BadMessage("the answer has no Content-Length")
    body = await _read_body(reader, headers, max_bytes)
    return Response(int(match[2]), body, _is_persistent(match[1], headers))


async def _read_head(reader: asyncio.StreamReader, first: bytes) -> tuple[str, dict[str, str]]:
    try:
        head = first + await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise BadMessage("the headers are too long", 431) from None
    line, *fields = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    headers: dict[str, str] = {}
    for field in fields:
        match = _HEADER.fullmatch(field)
        if not match:
            raise BadMessage("a header is malformed")
        name = match[1].lower()
        if name == "content-length" and name in headers:
            raise BadMessage("there is more than one Content-Length")
        headers[name] = match[2].strip()
    return line, headers


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str], max_bytes: int) -> bytes:
    if "transfer-encoding" in headers:
        raise BadMessage("a Content-Length is needed, and no Transfer-Encoding", 411)
    length = headers.get("content-length", "0")
    if not _LENGTH.fullmatch(length):
        raise BadMessage("the Content-Length is not a number")
    if int(length) > max_bytes:
        raise TooLarge(max_bytes)
    return await reader.readexactly(int(length))


def _is_persistent(minor_version: str, headers: dict[str, str]) -> bool:
    return minor_version == "1" and headers.get("connection", "").lower() != "close"
