"""WSGI (PEP 3333): the environment of a request, and an answer in one piece."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from email.utils import formatdate
from typing import Any

from gunicorn.http.wsgi import base_environ
from gunicorn.util import is_hoppish, unquote_to_wsgi_str

from .connection import Connection

_NO_BODY = ("1", "204", "304")


class Gateway:
    """Hands requests to the application."""

    def __init__(self, app: Callable[..., Iterable[bytes]], cfg: Any) -> None:
        self._app = app
        self._environ: dict[str, Any] = base_environ(cfg) | {"wsgi.multithread": True, "SCRIPT_NAME": ""}
        self._date_of = 0
        self._date = ""

    def environ(self, connection: Connection) -> dict[str, Any]:
        """Return what the environments of all requests of a connection have in common."""
        return self._environ | {
            "REMOTE_ADDR": connection.client[0],
            "REMOTE_PORT": str(connection.client[1]),
            "SERVER_NAME": connection.server[0],
            "SERVER_PORT": str(connection.server[1]),
        }

    def answer(self, common: dict[str, Any], request: Any, body: Any, *, keep: bool) -> bytes:
        """Return the application's answer; ``keep`` tells the client whether the connection stays open."""
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
            started[:] = status, headers

        content = self._app(_environ(common, request, body), start_response)
        try:
            payload = b"".join(content)
        finally:
            if close := getattr(content, "close", None):
                close()
        status, headers = started
        return self._head(request, status, headers, len(payload), keep=keep) + payload

    def _head(
        self, request: Any, status: str, headers: list[tuple[str, str]], length: int, *, keep: bool
    ) -> bytes:
        lines = [
            f"HTTP/{request.version[0]}.{request.version[1]} {status}",
            "Server: gunicorn",
            f"Date: {self._now()}",
            f"Connection: {'keep-alive' if keep else 'close'}",
        ]
        without_body = request.method == "HEAD" or status.startswith(_NO_BODY)
        for name, value in headers:
            if not is_hoppish(name) and (without_body or name.lower() != "content-length"):
                lines.append(f"{name}: {value}")
        if not without_body:
            lines.append(f"Content-Length: {length}")
        head = "\r\n".join(lines)
        # Whatever the application puts into a header, it cannot add one or begin the body.
        if head.count("\r") != len(lines) - 1 or head.count("\n") != len(lines) - 1 or "\0" in head:
            raise ValueError("a header of the answer has a line break")
        return f"{head}\r\n\r\n".encode("latin-1")

    def _now(self) -> str:
        """Return the time for the header Date, which has whole seconds."""
        if (now := int(time.time())) != self._date_of:
            self._date_of, self._date = now, formatdate(now, usegmt=True)
        return self._date


def _environ(common: dict[str, Any], request: Any, body: Any) -> dict[str, Any]:
    environ = common.copy()
    environ["wsgi.input"] = body
    environ["wsgi.url_scheme"] = request.scheme
    environ["REQUEST_METHOD"] = request.method
    environ["RAW_URI"] = request.uri
    environ["PATH_INFO"] = unquote_to_wsgi_str(request.path)
    environ["QUERY_STRING"] = request.query
    environ["SERVER_PROTOCOL"] = f"HTTP/{request.version[0]}.{request.version[1]}"
    # gunicorn's names are in upper case, and none has an underscore, which could stand for a hyphen.
    for name, value in request.headers:
        key = name.replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
            if key in environ:
                value = f"{environ[key]},{value}"
        environ[key] = value
    return environ
