"""How tests call an application in their own process: as the holder of a token, from an address."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

CREATE, FETCH, BATCH = "/vault/secret/create/", "/vault/secret/fetch", "/vault/secret/fetch/batch"
SECRET = "/vault/secret/"
TOKEN = "/vault/token/"
WHOAMI = "/vault/token/whoami"


def post(
    client: FlaskClient, path: str, body: Any = None, token: str | None = None, address: str = "127.0.0.1"
) -> TestResponse:
    """Send ``body`` as JSON."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return client.post(path, json=body, headers=headers, environ_overrides={"REMOTE_ADDR": address})


def ask(client: FlaskClient, operation: str, token: str | None = None, **body: Any) -> TestResponse:
    """Call an operation on secrets: ``create/``, ``fetch``, ``update`` and the like."""
    return post(client, SECRET + operation, body, token)


def id_of(token: str) -> str:
    """Return the public part of a token."""
    return token.split("_")[1]
