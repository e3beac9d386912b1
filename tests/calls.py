"""How tests call an application in their own process: as the holder of a token, from an address."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

CREATE, FETCH, BATCH = "/vault/secret/create/", "/vault/secret/fetch", "/vault/secret/fetch/batch"
SECRET = "/vault/secret/"
TOKEN = "/vault/token/"
WHOAMI = "/vault/token/whoami"

# Audit records of what somebody asked for: all but those in which the log speaks of itself.
OF_CALLERS = {"actor": {"$ne": "service"}}

# Of the form of a token, and nobody's.  The same in each of the processes that run the tests, which
# have to agree on what those are called.
UNKNOWN = "smt_0f3a5b7c9d1e2f40_000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f22d38899"


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
