"""Stores shares: the hashes of their links, never the link itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from datetime import datetime
from types import NoneType
from typing import TypeVar

from pymongo import DESCENDING, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.database import Database

from ..errors import Tampered
from ..models import Share, StoredShare
from .database import Document, expect_type, in_transaction, map_errors
from .secrets import SecretStore
from .shared_finds import SharedFinds

COLLECTION = "shares"

Result = TypeVar("Result")


class ShareStore:
    """The collection ``shares``; with a ``session``, inside the transaction that runs in it.

    Every method raises StoreUnavailable if the database does not answer in time.
    """

    def __init__(
        self, database: Database[Document], operation_timeout: float, session: ClientSession | None = None
    ) -> None:
        self._database = database
        self._collection = database[COLLECTION]
        self._operation_timeout = operation_timeout
        self._session = session
        self._shared = SharedFinds(self._collection, read, operation_timeout)
        # The driver retries a whole transaction after some errors, so it has to see its own errors.
        self._errors = map_errors if session is None else nullcontext

    def in_transaction(self, work: Callable[[ShareStore, SecretStore], Result]) -> Result:
        """Call ``work`` with stores in one transaction: all of its changes are made, or none.

        ``work`` is called again if others change the same records at the same time.

        Raises:
            StoreUnavailable: either all or none of the changes were made.
        """

        def inside(session: ClientSession) -> Result:
            return work(
                ShareStore(self._database, self._operation_timeout, session),
                SecretStore(self._database, self._operation_timeout, session),
            )

        return in_transaction(self._database, inside)

    def insert(self, stored: StoredShare) -> None:
        """Insert a new share.

        Raises:
            StoreUnavailable: it may or may not have been stored.
        """
        with self._errors():
            self._collection.insert_one(_write(stored), session=self._session)

    def find(self, share_id: str) -> StoredShare | None:
        """Return a share, including ended ones, or None if there is none.

        Raises:
            Tampered: the document is malformed.
        """
        with self._errors():
            document = self._collection.find_one({"_id": share_id}, session=self._session)
        return None if document is None else read(document)

    def find_with_others(self, share_id: str) -> StoredShare | None:
        """Do as ``find`` does, for callers of whom there may be too many; see ``SharedFinds``."""
        return self._shared.find(share_id)

    def count_open(self, created_by: str, at: datetime, max_tries: int) -> int:
        """Return how many shares of this sender somebody may still open then."""
        query = {
            "created_by": created_by,
            "opened_at": None,
            "revoked_at": None,
            "expires_at": {"$gt": at},
            "tries": {"$lt": max_tries},
        }
        with self._errors():
            return self._collection.count_documents(query)

    def page(
        self, created_by: str | None, before: tuple[datetime, str] | None, count: int
    ) -> list[tuple[str, StoredShare | Tampered]]:
        """Return up to ``count`` ids and shares, the newest first, or errors if malformed.

        With ``created_by``, only this sender's; with ``before``, those that follow this time and id.
        """
        query: Document = {} if created_by is None else {"created_by": created_by}
        if before is not None:
            at, share_id = before
            query["$or"] = [
                {"created_at": {"$lt": at}},
                {"created_at": at, "_id": {"$lt": share_id}},
            ]
        order = [("created_at", DESCENDING), ("_id", DESCENDING)]
        with map_errors():
            found = list(self._collection.find(query).sort(order).limit(count))
        return [(str(document["_id"]), _read_or_error(document)) for document in found]

    def swap(self, before: StoredShare, after: StoredShare) -> bool:
        """Replace ``before`` by ``after``; return False if it has changed since it was read.

        Raises:
            StoreUnavailable: it may or may not have been changed.
        """
        with self._errors():
            result = self._collection.replace_one(
                {"_id": before.share.share_id, "tag": before.tag}, _write(after), session=self._session
            )
        return result.matched_count == 1

    def retag(self, changes: Sequence[tuple[StoredShare, StoredShare]]) -> int:
        """Replace the tag of the first of each pair with the second's; return how many changed.

        A share that has changed since it was read stays as it is.

        Raises:
            StoreUnavailable: some may have been changed.
        """
        updates = [
            UpdateOne({"_id": before.share.share_id, "tag": before.tag}, {"$set": {"tag": after.tag}})
            for before, after in changes
        ]
        with map_errors():
            return self._collection.bulk_write(updates, ordered=False).matched_count

    def remove(self, share_id: str) -> None:
        """Remove a share and leave nothing of it.

        Raises:
            StoreUnavailable: it may or may not have been removed.
        """
        with self._errors():
            self._collection.delete_one({"_id": share_id}, session=self._session)


def _write(stored: StoredShare) -> Document:
    share = stored.share
    written = asdict(share)
    written["_id"] = written.pop("share_id")
    # MongoDB removes it some time after that.
    written["ended_at"] = share.opened_at or share.revoked_at or share.expires_at
    return written | {"digest": stored.digest, "tag": stored.tag}


def read(document: Document) -> StoredShare:
    """Return the share that is stored as this document; its tag is not verified here.

    Raises:
        Tampered: the document is malformed.
    """
    # Anyone who can write to the database can put anything there.
    try:
        return StoredShare(
            share=Share(
                share_id=expect_type(document["_id"], str),
                secret_id=expect_type(document["secret_id"], str),
                recipient=expect_type(document["recipient"], str),
                created_at=expect_type(document["created_at"], datetime),
                created_by=expect_type(document["created_by"], str),
                expires_at=expect_type(document["expires_at"], datetime),
                path=expect_type(document["path"], str, NoneType),
                passphrase=expect_type(document["passphrase"], bytes, NoneType),
                tries=expect_type(document["tries"], int),
                looked_at=expect_type(document["looked_at"], datetime, NoneType),
                looked_from=expect_type(document["looked_from"], str, NoneType),
                opened_at=expect_type(document["opened_at"], datetime, NoneType),
                opened_from=expect_type(document["opened_from"], str, NoneType),
                attempt=expect_type(document["attempt"], bytes, NoneType),
                revoked_at=expect_type(document["revoked_at"], datetime, NoneType),
                revoked_by=expect_type(document["revoked_by"], str, NoneType),
            ),
            digest=expect_type(document["digest"], bytes),
            tag=expect_type(document["tag"], bytes),
        )
    except (KeyError, TypeError, ValueError):
        raise Tampered("the document is not a valid share") from None


def _read_or_error(document: Document) -> StoredShare | Tampered:
    try:
        return read(document)
    except Tampered as error:
        return error
