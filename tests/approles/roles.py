"""Roles and secret ids, as a caller makes and uses them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.access.token_format import SECRET_ID, Credential
from tests.calls import APPROLE, post


@dataclass(frozen=True)
class Role:
    """A role, a client that knows no token, and an administrator's token."""

    client: FlaskClient
    admin: str
    role_id: str

    def secret_id(self, token: str | None = None, **body: Any) -> str:
        """Create a secret id and return it."""
        answer = post(
            self.client, APPROLE + "secret-id/create", {"role": self.role_id, **body}, token or self.admin
        )
        assert 200 == answer.status_code, answer.text
        text: str = answer.json["secret_id"]
        return text

    def log_in(self, secret_id: str, address: str = "127.0.0.1", **changed: Any) -> TestResponse:
        """Log in, from an address."""
        body = {"role_id": self.role_id, "secret_id": secret_id, **changed}
        return post(self.client, APPROLE + "login", body, address=address)

    def token(self, **body: Any) -> str:
        """Log in with a new secret id, and return the token."""
        answer = self.log_in(self.secret_id(**body))
        assert 200 == answer.status_code, answer.text
        text: str = answer.json["token"]
        return text


def make_role(client: FlaskClient, token: str, *scope: str, **body: Any) -> Role:
    """Create a role with these scopes."""
    body = {"name": "ci", "scopes": scope or ("fetch:team/*",), **body}
    answer = post(client, APPROLE + "create", body, token)
    assert 200 == answer.status_code, answer.text
    return Role(client, token, answer.json["role_id"])


def guess(accessor: str) -> str:
    """Return a well-formed secret id with this accessor."""
    return Credential(accessor, bytes(32), SECRET_ID).text


Give = Callable[..., str]
