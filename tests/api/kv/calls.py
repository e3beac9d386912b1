"""Calls of Vault's clients in the test's own process."""

from __future__ import annotations

import json
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

MEMBERS = {
    *("request_id", "lease_id", "renewable", "lease_duration"),
    *("data", "wrap_info", "warnings", "auth"),
}
DENIED = {"errors": ["permission denied"]}


class Vault:
    """Sends requests as Vault's clients do, with one token."""

    def __init__(self, client: FlaskClient, token: str | None = None) -> None:
        self._client = client
        self._token = token

    def send(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **options: Any
    ) -> TestResponse:
        """Send a request, like Go's client without a content type."""
        own = {} if self._token is None else {"X-Vault-Token": self._token}
        if body is not None:
            options["data"] = json.dumps(body)
        return self._client.open(f"/v1/{path}", method=method, headers=own | (headers or {}), **options)

    def get(self, path: str) -> TestResponse:
        """Read."""
        return self.send("GET", path)

    def put(self, path: str, body: Any = None) -> TestResponse:
        """Write as Go's client does."""
        return self.send("PUT", path, body)

    def patch(self, path: str, body: Any) -> TestResponse:
        """Patch."""
        return self.send("PATCH", path, body, {"Content-Type": "application/merge-patch+json"})

    def delete(self, path: str) -> TestResponse:
        """Delete."""
        return self.send("DELETE", path)

    def write(self, path: str, **data: Any) -> int:
        """Write a value and return its version."""
        response = self.put(f"secret/data/{path}", {"data": data})
        assert 200 == response.status_code, response.text
        return int(response.json["data"]["version"])
