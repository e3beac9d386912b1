"""Fills a database with secrets, faster than the API would, in the API's storage format."""

from __future__ import annotations

import uuid

from pymongo.database import Database

from service.crypto import secret_values, tags
from service.crypto.keyring import KeyRing
from service.models import now
from service.records import Secret
from service.secrets import lifecycle
from service.store import secret_documents

_BATCH_SIZE = 1000


def fill(database: Database, ring: KeyRing, count: int, value: bytes = b"a") -> None:
    """Add ``count`` secrets with one version each, at the paths ``filled/0``, ``filled/1`` and so on."""
    for first in range(0, count, _BATCH_SIZE):
        numbers = range(first, min(first + _BATCH_SIZE, count))
        batch = [_secret(f"filled/{number}", ring, value) for number in numbers]
        database.secrets.insert_many(
            [{"_id": secret.secret_id, **secret_documents.write(secret)} for secret in batch], ordered=False
        )


def _secret(path: str, ring: KeyRing, value: bytes) -> Secret:
    at = now()
    empty = Secret(str(uuid.uuid4()), 0, (), at, created_by="anonymous", path=path)
    sealed = secret_values.seal(empty, value, ring)
    return tags.sign_secret(lifecycle.add(empty, sealed, {}, at, "anonymous"), ring)
