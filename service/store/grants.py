"""Stores grants: which Swarm services may be given which secrets."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from types import NoneType

from pymongo import ASCENDING
from pymongo.database import Database

from ..errors import Tampered
from ..models import Grant, StoredGrant
from . import fields
from .database import Document, expect_type, map_errors

COLLECTION = "grants"

_IN_FORCE: Document = {"deleted_at": None}

# Ids and grants; for a malformed document, the error instead.
FoundGrants = list[tuple[str, StoredGrant | Tampered]]


class GrantStore:
    """The collection ``grants``.

    Every method raises StoreUnavailable if the database does not answer in time.
    """

    def __init__(self, database: Database[Document]) -> None:
        self._collection = database[COLLECTION]

    def insert(self, stored: StoredGrant) -> None:
        """Insert a new grant.

        Raises:
            StoreUnavailable: it may or may not have been stored.
        """
        with map_errors():
            self._collection.insert_one(_write(stored))

    def count(self) -> int:
        """Return how many grants there are that were not deleted."""
        with map_errors():
            return self._collection.count_documents(_IN_FORCE)

    def find(self, grant_id: str) -> StoredGrant | Tampered | None:
        """Return a grant, including a deleted one, or None if there is none."""
        with map_errors():
            document = self._collection.find_one({"_id": grant_id})
        return None if document is None else _read_or_error(document)

    def page(self, after: str, count: int) -> FoundGrants:
        """Return up to ``count`` grants that were not deleted and whose ids follow ``after``, in order."""
        with map_errors():
            found = list(
                self._collection.find(_IN_FORCE | {"_id": {"$gt": after}}).sort("_id", ASCENDING).limit(count)
            )
        return [(str(document["_id"]), _read_or_error(document)) for document in found]

    def swap(self, before: StoredGrant, after: StoredGrant) -> bool:
        """Replace ``before`` by ``after``; return False if it has changed since it was read.

        Raises:
            StoreUnavailable: it may or may not have been changed.
        """
        with map_errors():
            result = self._collection.replace_one(
                {"_id": before.grant.grant_id, "tag": before.tag}, _write(after)
            )
        return result.matched_count == 1

    def remove(self, grant_id: str) -> None:
        """Remove a grant and leave nothing of it.

        Raises:
            StoreUnavailable: it may or may not have been removed.
        """
        with map_errors():
            self._collection.delete_one({"_id": grant_id})


def _write(stored: StoredGrant) -> Document:
    written = asdict(stored.grant)
    written["_id"] = written.pop("grant_id")
    # MongoDB removes it some time after that.
    written["ended_at"] = stored.grant.deleted_at
    written["tag"] = stored.tag
    return written


def read(document: Document) -> StoredGrant:
    """Return the grant that is stored as this document; its tag is not verified here.

    Raises:
        Tampered: the document is malformed.
    """
    # Anyone who can write to the database can put anything there.
    try:
        return StoredGrant(
            grant=Grant(
                grant_id=expect_type(document["_id"], str),
                services=fields.texts(document["services"]),
                paths=fields.texts(document["paths"]),
                created_at=expect_type(document["created_at"], datetime),
                created_by=expect_type(document["created_by"], str),
                nodes=fields.texts(document["nodes"]),
                images=fields.texts(document["images"]),
                deleted_at=expect_type(document["deleted_at"], datetime, NoneType),
                deleted_by=expect_type(document["deleted_by"], str, NoneType),
            ),
            tag=expect_type(document["tag"], bytes),
        )
    except (KeyError, TypeError):
        raise Tampered("the document is not a valid grant") from None


def _read_or_error(document: Document) -> StoredGrant | Tampered:
    try:
        return read(document)
    except Tampered as error:
        return error
