"""Records as earlier versions stored them: with a tag over a part of the record, or without one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask.testing import FlaskClient
from pymongo.database import Database

from service.api import dependencies
from service.crypto.canonical import encode
from service.crypto.keyring import KeyRing
from service.keys.canary import KeyRingCheck
from service.store.store import Store


def accept(store: Store, ring: KeyRing, client: FlaskClient) -> None:
    """Mark the database as one that may hold such records, as if the process had started with it so."""
    key_check = KeyRingCheck(store.canaries, store.secrets, ring, store.keys, store.rewrap)
    key_check.renew_canary(accept_earlier=True)
    with client.application.app_context():
        dependencies.dependencies().secrets.key_check.check()


def tag(key: bytes, fields: dict[str, str]) -> bytes:
    """Return a tag over these fields, made without the service's own code."""
    derived = hmac.digest(key, b"secret-manager record authentication", hashlib.sha256)
    key_id = hmac.digest(key, b"secret-manager key id", hashlib.sha256)[:8]
    return b"\x02" + key_id + hmac.digest(derived, encode(fields), hashlib.sha256)


def make_secret(database: Database, key: bytes, secret_id: str) -> dict[str, Any]:
    """Give a secret the tag that an earlier version gave it, and return its document."""
    document = database.secrets.find_one({"_id": secret_id})
    bound = {name: document[name] for name in ("path", "owner", "former_path") if name in document}
    if bound:
        fields = {"purpose": "secret", "secret_id": secret_id, "path": "", "owner": "", **bound}
        database.secrets.update_one({"_id": secret_id}, {"$set": {"tag": tag(key, fields)}})
    else:
        database.secrets.update_one({"_id": secret_id}, {"$unset": {"tag": True}})
    return database.secrets.find_one({"_id": secret_id})


def make_token(database: Database, key: bytes, token_id: str) -> None:
    """Give a token the tag that an earlier version gave it, before lines of makers were kept."""
    found = database.tokens.find_one({"_id": token_id})
    ends = found["expires_at"]
    fields = {
        "purpose": "token",
        "token_id": token_id,
        "digest": found["digest"].hex(),
        "name": found["name"],
        "scopes": "\n".join(found["scopes"]),
        "created_at": found["created_at"].isoformat(),
        "created_by": found["created_by"],
        "expires_at": ends.isoformat() if ends else "",
        "lifetime": str(found["lifetime"]),
        "max_uses": str(found["max_uses"]),
        "networks": "\n".join(found["networks"]),
        "rate_limit": str(found["rate_limit"]),
    }
    database.tokens.update_one(
        {"_id": token_id},
        {"$set": {"tag": tag(key, fields)}, "$unset": {"makers": True, "shared_limits": True}},
    )


def add_legacy(database: Database, key: bytes, value: bytes = b"legacy") -> str:
    """Add a record of the earlier implementation, and return its id."""
    secret_id, nonce = str(uuid.uuid4()), bytes(12)
    record = nonce + AESGCM(key).encrypt(nonce, value, None)
    database.secrets.insert_one({"_id": secret_id, "ciphertext": base64.b64encode(record).decode()})
    return secret_id
