"""The driver's side of the wire: HTTP/1.1 on a Unix socket, as the engine's plugin client speaks it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import http1
from .driver import Driver
from .errors import MalformedRequest
from .http1 import BadMessage, Request

# A call is answered within two seconds, because the leader of a Swarm holds the cluster's write lock for as
# long as it waits.  The rest is for the answer's own way.
CALL_SECONDS = 1.9
# Of this, for a request that has begun to arrive; the engine sends it at once.
REQUEST_SECONDS = 0.5
# For the engine to take the answer.
_SEND_SECONDS = 2.0
# A service's labels are all in it; the whole service cannot have more in Swarm's log.
_MAX_REQUEST_BYTES = 2_097_152
# Nodes ask at the same time, each with its own connection.
_BACKLOG = 1024

# What the engine accepts; it does not look at it.
_CONTENT_TYPE = "application/vnd.docker.plugins.v1.2+json"
_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
}

GET_SECRET = "/SecretProvider.GetSecret"  # noqa: S105  (a path)
ACTIVATE = "/Plugin.Activate"


async def listen(socket: Path, driver: Driver) -> asyncio.Server:
    """Return a server that accepts calls at ``socket``, which only this user may connect to.

    A socket that was left there, by a process that was killed, is replaced.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The engine may go at any time, and repeats a call that it still needs.
        with suppress(OSError, EOFError):
            while await _serve_one(driver, reader, writer):
                pass
        writer.close()

    mask = os.umask(0o177)
    try:
        return await asyncio.start_unix_server(serve, socket, limit=http1.MAX_HEAD_BYTES, backlog=_BACKLOG)
    finally:
        os.umask(mask)


async def _serve_one(driver: Driver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Answer the next call; return whether the connection stays open.

    Between calls it stays so for as long as the engine likes: a connection that is closed while a call is on
    its way makes the engine wait a second, and repeat the call without its body.
    """
    first = await reader.readexactly(1)
    started = asyncio.get_running_loop().time()
    persistent = False
    try:
        async with asyncio.timeout_at(started + REQUEST_SECONDS):
            request = await http1.read_request(reader, first, _MAX_REQUEST_BYTES)
        persistent = request.persistent
        status, answer = await _answer(driver, request, started)
    except BadMessage as error:
        status, answer = driver.refuse(MalformedRequest(str(error), error.status), started, {})
    except TimeoutError:
        slow = MalformedRequest("the request did not arrive whole in time", 408)
        status, answer = driver.refuse(slow, started, {})
    writer.write(_response(status, answer, persistent=persistent))
    try:
        async with asyncio.timeout(_SEND_SECONDS):
            await writer.drain()
    except TimeoutError:
        writer.transport.abort()
        raise
    return persistent


async def _answer(driver: Driver, request: Request, started: float) -> tuple[int, Mapping[str, Any]]:
    if request.target not in {GET_SECRET, ACTIVATE}:
        return driver.refuse(MalformedRequest("there is no such call", 404), started, {})
    if request.method != "POST":
        return driver.refuse(MalformedRequest("calls are made with POST", 405), started, {})
    if request.target == ACTIVATE:
        return 200, driver.activate(started)
    return await driver.get_secret(request.body, started, started + CALL_SECONDS)


def _response(status: int, answer: Mapping[str, Any], *, persistent: bool) -> bytes:
    body = json.dumps(answer).encode()
    head = (
        f"HTTP/1.1 {status} {_REASONS.get(status, 'Error')}\r\nContent-Type: {_CONTENT_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\n{'' if persistent else 'Connection: close' + chr(13) + chr(10)}\r\n"
    )
    return head.encode() + body
