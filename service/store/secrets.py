"""Where secrets are kept: one document each, so that every change is one atomic operation."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from pymongo.database import Database

from ..errors import Tampered
from ..models import Envelope, LegacySecret, SealedVersion
from .client import Document, translated

COLLECTION = "secrets"


class SecretStore:
    """The collection ``secrets``."""

    def __init__(self, database: Database[Document]) -> None:
        self._collection = database[COLLECTION]

    def insert(self, sealed: SealedVersion) -> None:
        """Keep the first version of a new secret.

        Raises:
            StoreUnavailable: it may or may not have been kept.
        """
        with translated():
            self._collection.insert_one(
                {
                    "_id": sealed.secret_id,
                    "current": sealed.version,
                    "versions": [
                        {
                            "version": sealed.version,
                            "payload": sealed.envelope.payload,
                            "data_key": sealed.envelope.data_key,
                            "created_at": sealed.created_at,
                        }
                    ],
                    "created_at": sealed.created_at,
                }
            )

    def find(self, secret_id: str) -> SealedVersion | LegacySecret | None:
        """Return the current version of a secret, or None where there is no such secret.

        Raises:
            StoreUnavailable: the database did not answer.
            Tampered: the document is none that this service or its forerunner wrote.
        """
        with translated():
            document = self._collection.find_one({"_id": secret_id})
        return None if document is None else _read(document)

    def find_any(self) -> SealedVersion | LegacySecret | None:
        """Return one secret, whichever comes first, or None where the collection is empty."""
        with translated():
            document = self._collection.find_one()
        return None if document is None else _read(document)


def _read(document: dict[str, Any]) -> SealedVersion | LegacySecret:
    # Whoever can write to the database can put anything there: what does not have the shape that
    # was written is an altered record, and no reason to fail in some other way.
    try:
        if "ciphertext" in document:
            return LegacySecret(
                secret_id=document["_id"],
                ciphertext=base64.b64decode(document["ciphertext"], validate=True),
                created_at=document.get("created_at"),
            )
        (version,) = (v for v in document["versions"] if v["version"] == document["current"])
        return SealedVersion(
            secret_id=document["_id"],
            version=version["version"],
            envelope=Envelope(payload=bytes(version["payload"]), data_key=bytes(version["data_key"])),
            created_at=version["created_at"],
        )
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise Tampered("not of the shape in which secrets are stored") from None
