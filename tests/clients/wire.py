"""Requests as Go's clients of Vault send them, for clients that do not run here: only their sequences do."""

from __future__ import annotations

import json
from typing import Any

import requests

from tests.gunicorn_server import LAST, Server

_SECONDS = 60


class Wire:
    """Sends requests with a token: JSON without a content type, and PUT for writes."""

    def __init__(self, server: Server, token: str | None = None) -> None:
        self._server = server
        self._token = token

    def send(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> requests.Response:
        """Send a request and return the answer, whatever it is; redirects are not followed."""
        own = {} if self._token is None else {"X-Vault-Token": self._token}
        return requests.request(
            method,
            f"{self._server.url}/v1/{path}",
            # From bytes the library makes up no content type.
            data=None if body is None else json.dumps(body).encode(),
            headers={**LAST, "X-Vault-Request": "true", **own, **(headers or {})},
            timeout=_SECONDS,
            verify=self._server.verify,
            allow_redirects=False,
        )

    def with_token(self, token: str) -> Wire:
        """Return the same with another token."""
        return Wire(self._server, token)

    def get(self, path: str) -> Any:
        """Read what must be there, and return the answer."""
        return self._done("GET", path)

    def put(self, path: str, body: Any = None) -> Any:
        """Write, which must succeed, and return the answer, if there is one."""
        return self._done("PUT", path, body)

    def delete(self, path: str) -> None:
        """Delete, which must succeed."""
        assert self._done("DELETE", path) is None

    def write(self, path: str, **fields: Any) -> None:
        """Write a value."""
        self.put(f"secret/data/{path}", {"data": fields, "options": {}})

    def absent(self, path: str) -> requests.Response:
        """Read what must not be there, and return the answer."""
        answer = self.send("GET", path)
        assert 404 == answer.status_code, answer.text
        return answer

    def _done(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.send(method, path, body)
        assert answer.status_code in {200, 204}, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.status_code == 200 else None
