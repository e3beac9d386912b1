"""Calls of an application in the test's own process, with a token and from an address."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

CREATE, FETCH, BATCH = "/vault/secret/create/", "/vault/secret/fetch", "/vault/secret/fetch/batch"
SECRET = "/vault/secret/"
TOKEN = "/vault/token/"
SESSION = "/vault/session/"
SHARE = "/vault/share/"
GRANT = "/vault/grant/"
APPROLE = "/vault/approle/"
FOLDER = "/vault/folder/"
WHOAMI = "/vault/token/whoami"

# Filter for audit records of callers: all but those about the log itself.
OF_CALLERS = {"actor": {"$ne": "service"}}

# A well-formed token that does not exist.  Constant, because it is part of test ids, which must be the same
# in all of pytest-xdist's processes.
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
