"""Stores tokens: their hashes and rights, never the token itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from types import NoneType

from pymongo import ASCENDING, UpdateOne
from pymongo.database import Database

from ..errors import Tampered
from ..models import ROLE_PREFIX, Action, Scope, StoredToken, Token, TokenEnd
from . import fields
from .database import Document, expect_type, map_errors
from .shared_finds import SharedFinds

COLLECTION = "tokens"

_ALIVE: Document = {"revoked_at": None}
# Marks a token that was revoked without its descendants, which may go on.
_KEPT = "descendants_kept"
# Some programs log in for each secret that they read.  MongoDB keeps what has ended for 30 days; a token of a
# login only for one.
_REMOVED_EARLIER = timedelta(days=29)


class TokenStore:
    """The collection ``tokens``.

    Every method raises StoreUnavailable if the database does not answer in time.
    """

    def __init__(self, database: Database[Document], operation_timeout: float) -> None:
        self._collection = database[COLLECTION]
        self._shared = SharedFinds(self._collection, read, operation_timeout)

    def insert(self, stored: StoredToken) -> None:
        """Insert a new token.

        Raises:
            StoreUnavailable: it may or may not have been stored.
        """
        with map_errors():
            self._collection.insert_one(_write(stored))

    def find(self, token_id: str) -> StoredToken | None:
        """Return a token, including ended ones, or None if there is none.

        Raises:
            Tampered: the document is malformed.
        """
        with map_errors():
            document = self._collection.find_one({"_id": token_id})
        return None if document is None else read(document)

    def find_with_others(self, token_id: str) -> StoredToken | None:
        """Do as ``find`` does, for callers of whom there may be too many; see ``SharedFinds``."""
        return self._shared.find(token_id)

    def is_alive(self, token_id: str) -> bool:
        """Return whether this token exists and has not been revoked."""
        with map_errors():
            return self._collection.find_one({"_id": token_id, **_ALIVE}, {"_id": True}) is not None

    def any_ended(self, token_ids: Sequence[str]) -> bool:
        """Return whether one of these tokens was revoked together with its descendants."""
        query = {"_id": {"$in": list(token_ids)}, "revoked_at": {"$ne": None}, _KEPT: {"$ne": True}}
        with map_errors():
            return self._collection.find_one(query, {"_id": True}) is not None

    def find_each(self, token_ids: Sequence[str]) -> list[tuple[str, StoredToken | Tampered]]:
        """Return those of these tokens that exist, by id, with errors in place of malformed ones."""
        with map_errors():
            found = list(self._collection.find({"_id": {"$in": list(token_ids)}}))
        return [(str(document["_id"]), _read_or_error(document)) for document in found]

    def swap(self, before: StoredToken, after: StoredToken) -> bool:
        """Store a token's new uses and expiry; return False if it has changed or was revoked since.

        Raises:
            StoreUnavailable: it may or may not have been changed.
        """
        token = after.token
        changed = {
            "uses": token.uses,
            "expires_at": token.expires_at,
            "ended_at": _ended_at(token),
            "tag": after.tag,
        }
        with map_errors():
            return (
                self._collection.find_one_and_update(
                    {"_id": token.token_id, "tag": before.tag, **_ALIVE},
                    {"$set": changed},
                    projection={"_id": True},
                )
                is not None
            )

    def retag(self, changes: Sequence[tuple[StoredToken, StoredToken]]) -> int:
        """Replace the tag of the first of each pair with the second's; return how many changed.

        A token that has changed since it was read stays as it is.

        Raises:
            StoreUnavailable: some may have been changed.
        """
        updates = [
            UpdateOne(
                {"_id": before.token.token_id, "tag": before.tag, "revoked_at": before.token.revoked_at},
                {"$set": {"tag": after.tag}},
            )
            for before, after in changes
        ]
        with map_errors():
            return self._collection.bulk_write(updates, ordered=False).matched_count

    def page(
        self, created_by: str | None, after: str, count: int
    ) -> list[tuple[str, StoredToken | Tampered]]:
        """Return up to ``count`` ids after ``after``, in order, with their tokens, or errors if malformed.

        With ``created_by``, only that token and those that were created with it.
        """
        query: Document = {"_id": {"$gt": after}}
        if created_by is not None:
            query["$or"] = [{"_id": created_by}, {"created_by": created_by}]
        with map_errors():
            found = list(self._collection.find(query).sort("_id", ASCENDING).limit(count))
        return [(str(document["_id"]), _read_or_error(document)) for document in found]

    def descendants(self, token_ids: Sequence[str]) -> list[str]:
        """Return the ids of all tokens that descend from any of these."""
        with map_errors():
            found = self._collection.find({"makers": {"$in": list(token_ids)}}, {"_id": True})
            return [str(document["_id"]) for document in found]

    def alive_descendants(self, ancestor: str, at: datetime) -> list[str]:
        """Return the ids of the tokens that descend from this AppRole or secret id and can be used then."""
        query: Document = {
            "makers": ancestor,
            **_ALIVE,
            "$or": [{"expires_at": None}, {"expires_at": {"$gt": at}}],
        }
        with map_errors():
            return [str(document["_id"]) for document in self._collection.find(query, {"_id": True})]

    def created_before_lines(self, token_ids: Sequence[str]) -> list[str]:
        """Return the ids of tokens that were created with any of these before lines of makers were kept."""
        query = {"created_by": {"$in": list(token_ids)}, "makers": {"$exists": False}}
        with map_errors():
            return [str(document["_id"]) for document in self._collection.find(query, {"_id": True})]

    def revoke(self, token_ids: Sequence[str], at: datetime, *, keep_descendants: bool = False) -> int:
        """Revoke tokens, and return how many; those that were revoked before stay as they are.

        Raises:
            StoreUnavailable: some may have been revoked; revoking them again does no harm.
        """
        ids = {"_id": {"$in": list(token_ids)}}
        ended: Document = {"revoked_at": at, "ended_at": at}
        with map_errors():
            if not keep_descendants:
                self._collection.update_many({**ids, _KEPT: True}, {"$unset": {_KEPT: True}})
                return self._collection.update_many({**ids, **_ALIVE}, {"$set": ended}).modified_count
            return self._collection.update_many(
                {**ids, **_ALIVE}, {"$set": {**ended, _KEPT: True}}
            ).modified_count

    def revoke_descendants(self, token_ids: Sequence[str], at: datetime) -> int:
        """Revoke all tokens that descend from any of these, and return how many.

        Raises:
            StoreUnavailable: some may have been revoked; revoking them again does no harm.
        """
        query = {"makers": {"$in": list(token_ids)}, **_ALIVE}
        with map_errors():
            return self._collection.update_many(
                query, {"$set": {"revoked_at": at, "ended_at": at}}
            ).modified_count

    def next_ends(self, action: Action, after: datetime, count: int) -> list[TokenEnd]:
        """Return the first ``count`` tokens with scopes for this action that end after that time, by end.

        They are not authenticated, and revoked ones are left out.
        """
        query: Document = {"scopes": {"$regex": f"^{action}(:|$)"}, "ended_at": {"$gt": after}, **_ALIVE}
        with map_errors():
            found = (
                self._collection.find(query, {"expires_at": True}).sort("ended_at", ASCENDING).limit(count)
            )
            return [
                TokenEnd(document["_id"], document["expires_at"])
                for document in found
                # Whoever can write to the database can put anything there.
                if isinstance(document["_id"], str) and isinstance(document.get("expires_at"), datetime)
            ]

    def with_any_scope(
        self, scopes: Sequence[Scope], maker: str | None, at: datetime, count: int
    ) -> list[StoredToken | Tampered]:
        """Return up to ``count`` tokens with any of these scopes that can be used at that time, by id.

        With ``maker``, only that token and those that descend from it.
        """
        query: Document = {
            "scopes": {"$in": [scope.stored for scope in scopes]},
            **_ALIVE,
            "$and": [{"$or": [{"expires_at": None}, {"expires_at": {"$gt": at}}]}],
        }
        if maker is not None:
            query["$and"].append({"$or": [{"_id": maker}, {"created_by": maker}, {"makers": maker}]})
        with map_errors():
            found = list(self._collection.find(query).sort("_id", ASCENDING).limit(count))
        return [_read_or_error(document) for document in found]

    def has_administrator(self, at: datetime) -> bool:
        """Return whether there is an administrator's token that can be used at that time.

        Tokens created while authentication was disabled are not counted: anyone could have created them.
        Neither are those of logins, which end soon.
        """
        with map_errors():
            return (
                self._collection.find_one(
                    {
                        "scopes": Action.ADMIN,
                        "created_by": {"$not": {"$regex": f"^(anonymous$|{ROLE_PREFIX})"}},
                        **_ALIVE,
                        "$or": [{"expires_at": None}, {"expires_at": {"$gt": at}}],
                    },
                    {"_id": True},
                )
                is not None
            )


def _ended_at(token: Token) -> datetime | None:
    """Return what MongoDB counts from when it removes what has ended."""
    if token.expires_at is None or not token.created_by.startswith(ROLE_PREFIX):
        return token.expires_at
    return token.expires_at - _REMOVED_EARLIER


def _write(stored: StoredToken) -> Document:
    written = asdict(stored.token)
    del written["token_id"]
    if stored.token.makers is None:
        del written["makers"], written["shared_limits"]
    return written | {
        "_id": stored.token.token_id,
        "scopes": [scope.stored for scope in stored.token.scopes],
        "networks": list(stored.token.networks),
        "digest": stored.digest,
        "tag": stored.tag,
        # When it expires or is revoked; MongoDB removes it some time after that.
        "ended_at": _ended_at(stored.token),
    }


def read(document: Document) -> StoredToken:
    """Return the token that is stored as this document; its tag is not verified here.

    Raises:
        Tampered: the document is malformed.
    """
    # Anyone who can write to the database can put anything there.
    try:
        return StoredToken(
            token=Token(
                token_id=expect_type(document["_id"], str),
                name=expect_type(document["name"], str),
                scopes=fields.scopes(document["scopes"]),
                created_at=expect_type(document["created_at"], datetime),
                created_by=expect_type(document["created_by"], str),
                expires_at=expect_type(document["expires_at"], datetime, NoneType),
                lifetime=expect_type(document["lifetime"], int, NoneType),
                max_uses=expect_type(document["max_uses"], int, NoneType),
                networks=fields.networks(document["networks"]),
                rate_limit=expect_type(document["rate_limit"], int, NoneType),
                uses=expect_type(document["uses"], int),
                revoked_at=expect_type(document["revoked_at"], datetime, NoneType),
                makers=fields.texts(document["makers"]) if "makers" in document else None,
                shared_limits=fields.limits(document.get("shared_limits", [])),
            ),
            digest=expect_type(document["digest"], bytes),
            tag=expect_type(document["tag"], bytes),
        )
    except (KeyError, TypeError, ValueError):
        raise Tampered("the document is not a valid token") from None


def _read_or_error(document: Document) -> StoredToken | Tampered:
    try:
        return read(document)
    except Tampered as error:
        return error
