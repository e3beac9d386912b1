"""Where tokens are kept: hashes and what they may do, nothing that anybody could send."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from ipaddress import ip_network
from types import NoneType
from typing import Any

from pymongo import ASCENDING
from pymongo.database import Database

from ..errors import Tampered
from ..models import Action, Scope, StoredToken, Token
from .database import Document, expect_type, map_errors

COLLECTION = "tokens"

_ALIVE: Document = {"revoked_at": None}


class TokenStore:
    """The collection ``tokens``."""

    def __init__(self, database: Database[Document]) -> None:
        self._collection = database[COLLECTION]

    def insert(self, stored: StoredToken) -> None:
        """Keep a new token.

        Raises:
            StoreUnavailable: it may or may not have been kept.
        """
        with map_errors():
            self._collection.insert_one(_write(stored))

    def find(self, token_id: str) -> StoredToken | None:
        """Return a token, ended ones included, or None where there is no such token.

        Raises:
            StoreUnavailable: the database did not answer.
            Tampered: the document is none that this service wrote.
        """
        with map_errors():
            document = self._collection.find_one({"_id": token_id})
        return None if document is None else read(document)

    def is_alive(self, token_id: str) -> bool:
        """Return whether there is this token and nobody has revoked it.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        with map_errors():
            return self._collection.find_one({"_id": token_id, **_ALIVE}, {"_id": True}) is not None

    def use(self, token_id: str) -> bool:
        """Count one use; return whether there was one left.

        Raises:
            StoreUnavailable: the use may or may not have been counted.
        """
        with map_errors():
            return (
                self._collection.find_one_and_update(
                    {"_id": token_id, **_ALIVE, "$expr": {"$lt": ["$uses", "$max_uses"]}},
                    {"$inc": {"uses": 1}},
                    projection={"_id": True},
                )
                is not None
            )

    def page(self, created_by: str | None, after: str, count: int) -> list[StoredToken]:
        """Return up to ``count`` tokens in the order of their ids, those behind ``after``.

        All of them, or those that ``created_by`` made, itself included.

        Raises:
            StoreUnavailable: the database did not answer.
            Tampered: a document is none that this service wrote.
        """
        wanted: Document = {"_id": {"$gt": after}}
        if created_by is not None:
            wanted["$or"] = [{"_id": created_by}, {"created_by": created_by}]
        with map_errors():
            found = list(self._collection.find(wanted).sort("_id", ASCENDING).limit(count))
        return [read(document) for document in found]

    def made_with(self, token_id: str) -> list[str]:
        """Return the ids of the tokens that were made with this one.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        with map_errors():
            return [one["_id"] for one in self._collection.find({"created_by": token_id}, {"_id": True})]

    def revoke(self, token_ids: Sequence[str], at: datetime) -> None:
        """End tokens; those that were revoked before stay as they are.

        Raises:
            StoreUnavailable: some may have been ended; ending them again does no harm.
        """
        with map_errors():
            self._collection.update_many(
                {"_id": {"$in": list(token_ids)}, **_ALIVE}, {"$set": {"revoked_at": at, "ended_at": at}}
            )

    def renew(self, stored: StoredToken) -> bool:
        """Put a token's new expiry in place; return False where it has been revoked meanwhile.

        Raises:
            StoreUnavailable: it may or may not have been renewed.
        """
        expires_at = stored.token.expires_at
        with map_errors():
            return (
                self._collection.find_one_and_update(
                    {"_id": stored.token.token_id, **_ALIVE},
                    {"$set": {"expires_at": expires_at, "ended_at": expires_at, "tag": stored.tag}},
                    projection={"_id": True},
                )
                is not None
            )

    def has_administrator(self, at: datetime) -> bool:
        """Return whether an administrator's token can be used at that time.

        One that was made while nobody had to say who they are is not counted: it may be anybody's.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        with map_errors():
            return (
                self._collection.find_one(
                    {
                        "scopes": Action.ADMIN,
                        "created_by": {"$ne": "anonymous"},
                        **_ALIVE,
                        "$or": [{"expires_at": None}, {"expires_at": {"$gt": at}}],
                    },
                    {"_id": True},
                )
                is not None
            )


def _write(stored: StoredToken) -> Document:
    fields = asdict(stored.token)
    del fields["token_id"]
    return fields | {
        "_id": stored.token.token_id,
        "scopes": [str(scope) for scope in stored.token.scopes],
        "networks": list(stored.token.networks),
        "digest": stored.digest,
        "tag": stored.tag,
        # When it ends by itself or by hand: some time later MongoDB removes it.
        "ended_at": stored.token.expires_at,
    }


def read(document: Document) -> StoredToken:
    """Return the token that was written as this document.

    Raises:
        Tampered: nobody wrote it like this.
    """
    # Whoever can write to the database can put anything there; the tag is looked at elsewhere.
    try:
        return StoredToken(
            token=Token(
                token_id=expect_type(document["_id"], str),
                name=expect_type(document["name"], str),
                scopes=tuple(
                    _scope(expect_type(text, str)) for text in expect_type(document["scopes"], list)
                ),
                created_at=expect_type(document["created_at"], datetime),
                created_by=expect_type(document["created_by"], str),
                expires_at=expect_type(document["expires_at"], datetime, NoneType),
                lifetime=expect_type(document["lifetime"], int, NoneType),
                max_uses=expect_type(document["max_uses"], int, NoneType),
                networks=tuple(_network(one) for one in expect_type(document["networks"], list)),
                rate_limit=expect_type(document["rate_limit"], int, NoneType),
                uses=expect_type(document["uses"], int),
                revoked_at=expect_type(document["revoked_at"], datetime, NoneType),
            ),
            digest=expect_type(document["digest"], bytes),
            tag=expect_type(document["tag"], bytes),
        )
    except (KeyError, TypeError, ValueError):
        raise Tampered("not of the shape in which tokens are stored") from None


def _network(text: Any) -> str:
    ip_network(expect_type(text, str))
    return str(text)


def _scope(text: str) -> Scope:
    action, colon, pattern = text.partition(":")
    return Scope(Action(action), pattern if colon else None)
