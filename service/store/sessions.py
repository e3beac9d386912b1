"""Stores sessions: their hashes, never the session itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from types import NoneType

from pymongo import ASCENDING, UpdateOne
from pymongo.database import Database

from ..errors import Tampered
from ..models import Session, StoredSession
from .database import Document, expect_type, map_errors
from .shared_finds import SharedFinds

COLLECTION = "sessions"


class SessionStore:
    """The collection ``sessions``.

    Every method raises StoreUnavailable if the database does not answer in time.
    """

    def __init__(self, database: Database[Document], operation_timeout: float) -> None:
        self._collection = database[COLLECTION]
        self._shared = SharedFinds(self._collection, read, operation_timeout)

    def insert(self, stored: StoredSession) -> None:
        """Insert a new session.

        Raises:
            StoreUnavailable: it may or may not have been stored.
        """
        with map_errors():
            self._collection.insert_one(_write(stored))

    def find(self, session_id: str) -> StoredSession | None:
        """Return a session, including ended ones, or None if there is none.

        Raises:
            Tampered: the document is malformed.
        """
        with map_errors():
            document = self._collection.find_one({"_id": session_id})
        return None if document is None else read(document)

    def find_with_others(self, session_id: str) -> StoredSession | None:
        """Do as ``find`` does, for callers of whom there may be too many; see ``SharedFinds``."""
        return self._shared.find(session_id)

    def is_alive(self, session_id: str, at: datetime) -> bool:
        """Return whether this session exists and has not ended then."""
        with map_errors():
            return self._collection.find_one({"_id": session_id, **_alive(at)}, {"_id": True}) is not None

    def page(
        self, token_id: str | None, after: str, count: int, at: datetime
    ) -> list[tuple[str, StoredSession | Tampered]]:
        """Return up to ``count`` ids after ``after``, in order, with the sessions that have not ended then.

        With ``token_id``, only those that stand in for this token.  For a malformed document, the error.
        """
        query: Document = {"_id": {"$gt": after}, **_alive(at)}
        if token_id is not None:
            query["token_id"] = token_id
        with map_errors():
            found = list(self._collection.find(query).sort("_id", ASCENDING).limit(count))
        return [(str(document["_id"]), _read_or_error(document)) for document in found]

    def swap(self, before: StoredSession, after: StoredSession) -> bool:
        """Replace ``before`` by ``after``; return False if it has changed since it was read.

        Raises:
            StoreUnavailable: it may or may not have been changed.
        """
        with map_errors():
            result = self._collection.replace_one(
                {"_id": before.session.session_id, "tag": before.tag}, _write(after)
            )
        return result.matched_count == 1

    def retag(self, changes: Sequence[tuple[StoredSession, StoredSession]]) -> int:
        """Replace the tag of the first of each pair with the second's; return how many changed.

        A session that has changed since it was read stays as it is.

        Raises:
            StoreUnavailable: some may have been changed.
        """
        updates = [
            UpdateOne({"_id": before.session.session_id, "tag": before.tag}, {"$set": {"tag": after.tag}})
            for before, after in changes
        ]
        with map_errors():
            return self._collection.bulk_write(updates, ordered=False).matched_count

    def remove(self, session_id: str) -> None:
        """Remove a session and leave nothing of it.

        Raises:
            StoreUnavailable: it may or may not have been removed.
        """
        with map_errors():
            self._collection.delete_one({"_id": session_id})


def _alive(at: datetime) -> Document:
    return {"revoked_at": None, "expires_at": {"$gt": at}}


def _write(stored: StoredSession) -> Document:
    session = stored.session
    written = asdict(session)
    written["_id"] = written.pop("session_id")
    # MongoDB removes it some time after that.
    written["ended_at"] = session.revoked_at or session.expires_at
    return written | {"digest": stored.digest, "tag": stored.tag}


def read(document: Document) -> StoredSession:
    """Return the session that is stored as this document; its tag is not verified here.

    Raises:
        Tampered: the document is malformed.
    """
    # Anyone who can write to the database can put anything there.
    try:
        return StoredSession(
            session=Session(
                session_id=expect_type(document["_id"], str),
                token_id=expect_type(document["token_id"], str),
                client_network=expect_type(document["client_network"], str),
                created_at=expect_type(document["created_at"], datetime),
                expires_at=expect_type(document["expires_at"], datetime),
                ends_at=expect_type(document["ends_at"], datetime),
                confirmed_at=expect_type(document["confirmed_at"], datetime),
                revoked_at=expect_type(document["revoked_at"], datetime, NoneType),
                revoked_by=expect_type(document["revoked_by"], str, NoneType),
            ),
            digest=expect_type(document["digest"], bytes),
            tag=expect_type(document["tag"], bytes),
        )
    except (KeyError, TypeError, ValueError):
        raise Tampered("the document is not a valid session") from None


def _read_or_error(document: Document) -> StoredSession | Tampered:
    try:
        return read(document)
    except Tampered as error:
        return error
