"""Stores the secret ids of AppRoles: their hashes, never the secret id itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from types import NoneType

from pymongo import ASCENDING, UpdateOne
from pymongo.database import Database

from ..errors import Tampered
from ..models import SecretId, StoredSecretId
from . import fields
from .database import Document, expect_type, map_errors
from .shared_finds import SharedFinds

COLLECTION = "approle_secret_ids"

_IN_FORCE: Document = {"revoked_at": None}

# Accessors and secret ids; for a malformed document, the error instead.
FoundSecretIds = list[tuple[str, StoredSecretId | Tampered]]


class SecretIdStore:
    """The collection ``approle_secret_ids``.

    Every method raises StoreUnavailable if the database does not answer in time.
    """

    def __init__(self, database: Database[Document], operation_timeout: float) -> None:
        self._collection = database[COLLECTION]
        self._shared = SharedFinds(self._collection, read, operation_timeout)

    def insert(self, stored: StoredSecretId) -> None:
        """Insert a new secret id.

        Raises:
            StoreUnavailable: it may or may not have been stored.
        """
        with map_errors():
            self._collection.insert_one(_write(stored))

    def find(self, accessor: str) -> StoredSecretId | None:
        """Return a secret id, including ended ones, or None if there is none.

        Raises:
            Tampered: the document is malformed.
        """
        with map_errors():
            document = self._collection.find_one({"_id": accessor})
        return None if document is None else read(document)

    def find_with_others(self, accessor: str) -> StoredSecretId | None:
        """Do as ``find`` does, for callers of whom there may be too many; see ``SharedFinds``."""
        return self._shared.find(accessor)

    def is_in_force(self, accessor: str) -> bool:
        """Return whether this secret id exists and was not revoked."""
        with map_errors():
            return self._collection.find_one({"_id": accessor, **_IN_FORCE}, {"_id": True}) is not None

    def page(self, role_id: str, after: str, count: int) -> FoundSecretIds:
        """Return up to ``count`` secret ids of a role whose accessors follow ``after``, in order."""
        query = {"role_id": role_id, "_id": {"$gt": after}}
        with map_errors():
            found = list(self._collection.find(query).sort("_id", ASCENDING).limit(count))
        return [(str(document["_id"]), _read_or_error(document)) for document in found]

    def made_by(self, token_ids: Sequence[str]) -> FoundSecretIds:
        """Return all secret ids that were not revoked and descend from any of these tokens."""
        with map_errors():
            found = list(self._collection.find({**_IN_FORCE, "makers": {"$in": list(token_ids)}}))
        return [(str(document["_id"]), _read_or_error(document)) for document in found]

    def swap(self, before: StoredSecretId, after: StoredSecretId) -> bool:
        """Replace ``before`` by ``after``; return False if it has changed since it was read.

        Raises:
            StoreUnavailable: it may or may not have been changed.
        """
        with map_errors():
            result = self._collection.replace_one(
                {"_id": before.secret_id.accessor, "tag": before.tag}, _write(after)
            )
        return result.matched_count == 1

    def retag(self, changes: Sequence[tuple[StoredSecretId, StoredSecretId]]) -> int:
        """Replace the tag of the first of each pair with the second's; return how many changed.

        A secret id that has changed since it was read stays as it is.

        Raises:
            StoreUnavailable: some may have been changed.
        """
        updates = [
            UpdateOne({"_id": before.secret_id.accessor, "tag": before.tag}, {"$set": {"tag": after.tag}})
            for before, after in changes
        ]
        with map_errors():
            return self._collection.bulk_write(updates, ordered=False).matched_count

    def remove(self, accessor: str) -> None:
        """Remove a secret id and leave nothing of it.

        Raises:
            StoreUnavailable: it may or may not have been removed.
        """
        with map_errors():
            self._collection.delete_one({"_id": accessor})

    def expire_with_role(self, role_id: str, at: datetime) -> None:
        """Let MongoDB remove the secret ids of a deleted role, with which nobody can log in any more.

        Raises:
            StoreUnavailable: some may stay.
        """
        with map_errors():
            self._collection.update_many({"role_id": role_id, **_IN_FORCE}, {"$set": {"ended_at": at}})


def _write(stored: StoredSecretId) -> Document:
    secret_id = stored.secret_id
    written = asdict(secret_id)
    written["_id"] = written.pop("accessor")
    used_up = secret_id.used_at if secret_id.uses == secret_id.max_uses else None
    # MongoDB removes it some time after that.
    written["ended_at"] = secret_id.revoked_at or used_up or secret_id.expires_at
    return written | {"digest": stored.digest, "tag": stored.tag}


def read(document: Document) -> StoredSecretId:
    """Return the secret id that is stored as this document; its tag is not verified here.

    Raises:
        Tampered: the document is malformed.
    """
    # Anyone who can write to the database can put anything there.
    try:
        return StoredSecretId(
            secret_id=SecretId(
                accessor=expect_type(document["_id"], str),
                role_id=expect_type(document["role_id"], str),
                created_at=expect_type(document["created_at"], datetime),
                created_by=expect_type(document["created_by"], str),
                expires_at=expect_type(document["expires_at"], datetime, NoneType),
                max_uses=expect_type(document["max_uses"], int, NoneType),
                networks=fields.networks(document["networks"]),
                uses=expect_type(document["uses"], int),
                used_at=expect_type(document["used_at"], datetime, NoneType),
                makers=fields.texts(document["makers"]),
                shared_limits=fields.limits(document["shared_limits"]),
                makers_end=expect_type(document["makers_end"], datetime, NoneType),
                revoked_at=expect_type(document["revoked_at"], datetime, NoneType),
                revoked_by=expect_type(document["revoked_by"], str, NoneType),
            ),
            digest=expect_type(document["digest"], bytes),
            tag=expect_type(document["tag"], bytes),
        )
    except (KeyError, TypeError, ValueError):
        raise Tampered("the document is not a valid secret id") from None


def _read_or_error(document: Document) -> StoredSecretId | Tampered:
    try:
        return read(document)
    except Tampered as error:
        return error
