"""Stores AppRoles: as whom programs log in, and what their tokens may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from types import NoneType

from pymongo import ASCENDING
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from ..errors import RoleNameTaken, Tampered
from ..models import AppRole, StoredAppRole
from . import fields
from .database import Document, expect_type, map_errors

COLLECTION = "approles"

_IN_FORCE: Document = {"deleted_at": None}

# Ids and roles; for a malformed document, the error instead.
FoundRoles = list[tuple[str, StoredAppRole | Tampered]]


class AppRoleStore:
    """The collection ``approles``.

    Every method raises StoreUnavailable if the database does not answer in time.
    """

    def __init__(self, database: Database[Document]) -> None:
        self._collection = database[COLLECTION]

    def insert(self, stored: StoredAppRole) -> None:
        """Insert a new role.

        Raises:
            RoleNameTaken: another role that was not deleted has its name; a unique index enforces it.
            StoreUnavailable: it may or may not have been stored.
        """
        with map_errors():
            try:
                self._collection.insert_one(_write(stored))
            except DuplicateKeyError:
                raise RoleNameTaken from None

    def find(self, role_id: str) -> StoredAppRole | Tampered | None:
        """Return a role, including a deleted one, or None if there is none."""
        return self._find_one({"_id": role_id})

    def find_named(self, name: str) -> StoredAppRole | Tampered | None:
        """Return the role that was not deleted and has this name, or None if there is none."""
        return self._find_one({"live_name": name})

    def find_each(self, role_ids: Sequence[str]) -> FoundRoles:
        """Return those of these roles that exist, including deleted ones."""
        with map_errors():
            found = list(self._collection.find({"_id": {"$in": list(role_ids)}}))
        return [(str(document["_id"]), _read_or_error(document)) for document in found]

    def is_in_force(self, role_id: str) -> bool:
        """Return whether this role exists and was not deleted."""
        with map_errors():
            return self._collection.find_one({"_id": role_id, **_IN_FORCE}, {"_id": True}) is not None

    def page(self, created_by: str | None, after: str, count: int) -> FoundRoles:
        """Return up to ``count`` roles that were not deleted and whose ids follow ``after``, in order.

        With ``created_by``, only those that this token created.
        """
        query: Document = {**_IN_FORCE, "_id": {"$gt": after}}
        if created_by is not None:
            query["created_by"] = created_by
        with map_errors():
            found = list(self._collection.find(query).sort("_id", ASCENDING).limit(count))
        return [(str(document["_id"]), _read_or_error(document)) for document in found]

    def made_by(self, token_ids: Sequence[str]) -> FoundRoles:
        """Return all roles that were not deleted and descend from any of these tokens."""
        with map_errors():
            found = list(self._collection.find({**_IN_FORCE, "makers": {"$in": list(token_ids)}}))
        return [(str(document["_id"]), _read_or_error(document)) for document in found]

    def swap(self, before: StoredAppRole, after: StoredAppRole) -> bool:
        """Replace ``before`` by ``after``; return False if it has changed since it was read.

        Raises:
            StoreUnavailable: it may or may not have been changed.
        """
        with map_errors():
            result = self._collection.replace_one(
                {"_id": before.role.role_id, "tag": before.tag}, _write(after)
            )
        return result.matched_count == 1

    def remove(self, role_id: str) -> None:
        """Remove a role and leave nothing of it.

        Raises:
            StoreUnavailable: it may or may not have been removed.
        """
        with map_errors():
            self._collection.delete_one({"_id": role_id})

    def _find_one(self, query: Document) -> StoredAppRole | Tampered | None:
        with map_errors():
            document = self._collection.find_one(query)
        return None if document is None else _read_or_error(document)


def _write(stored: StoredAppRole) -> Document:
    role = stored.role
    written = asdict(role)
    written["_id"] = written.pop("role_id")
    written["scopes"] = [scope.stored for scope in role.scopes]
    written["tag"] = stored.tag
    # MongoDB removes it some time after that.
    written["ended_at"] = role.deleted_at or role.expires_at
    if role.deleted_at is None:
        # Unique: the name of a deleted role is free again.
        written["live_name"] = role.name
    return written


def read(document: Document) -> StoredAppRole:
    """Return the role that is stored as this document; its tag is not verified here.

    Raises:
        Tampered: the document is malformed.
    """
    # Anyone who can write to the database can put anything there.
    try:
        role = AppRole(
            role_id=expect_type(document["_id"], str),
            name=expect_type(document["name"], str),
            scopes=fields.scopes(document["scopes"]),
            created_at=expect_type(document["created_at"], datetime),
            created_by=expect_type(document["created_by"], str),
            lifetime=expect_type(document["lifetime"], int),
            renewable=expect_type(document["renewable"], bool),
            max_uses=expect_type(document["max_uses"], int, NoneType),
            networks=fields.networks(document["networks"]),
            rate_limit=expect_type(document["rate_limit"], int, NoneType),
            expires_at=expect_type(document["expires_at"], datetime, NoneType),
            makers=fields.texts(document["makers"]),
            shared_limits=fields.limits(document["shared_limits"]),
            deleted_at=expect_type(document["deleted_at"], datetime, NoneType),
            deleted_by=expect_type(document["deleted_by"], str, NoneType),
        )
        # What it is found by is not part of what its tag covers.
        if document.get("live_name") != (role.name if role.deleted_at is None else None):
            raise Tampered("the document has the name of another AppRole")
        return StoredAppRole(role, expect_type(document["tag"], bytes))
    except (KeyError, TypeError, ValueError):
        raise Tampered("the document is not a valid AppRole") from None


def _read_or_error(document: Document) -> StoredAppRole | Tampered:
    try:
        return read(document)
    except Tampered as error:
        return error
