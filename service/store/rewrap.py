"""Queries and updates by master key: what is under which one, and its rewrapping."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pymongo import ASCENDING, UpdateOne
from pymongo.cursor import Cursor
from pymongo.database import Database

from ..errors import Tampered
from ..models import (
    EncryptedItem,
    Envelope,
    KeyRanges,
    StoredAppRole,
    StoredGrant,
    StoredSecretId,
    StoredSession,
    StoredShare,
    StoredToken,
)
from ..records import Secret
from . import (
    approles,
    audit_keys,
    canary,
    grants,
    secret_documents,
    secret_ids,
    secret_queries,
    secrets,
    sessions,
    shares,
    tokens,
)
from .database import Document, map_errors

Record = TypeVar("Record")
# Ids and what was read; for a malformed document, the error instead.
ReadItems = Sequence[tuple[str, Record | Tampered]]

_LEGACY: Document = {"ciphertext": {"$exists": True}}
# Few enough for one round trip to finish in time on a busy database.
_BATCH_SIZE = 1000
# The fields that ``list_encrypted`` needs; a malformed document has no versions here.
_ENCRYPTED_FIELDS = {
    "tag": True,
    "legacy": {"$ne": [{"$type": "$ciphertext"}, "missing"]},
    "versions": {
        "$cond": [
            {"$isArray": "$versions"},
            {"$map": {"input": "$versions", "as": "each", "in": {"data_key": "$$each.data_key"}}},
            [],
        ]
    },
}


@dataclass(frozen=True, slots=True)
class Slice:
    """Up to ``count`` documents with ids greater than ``after``, up to and including ``last``."""

    after: str
    count: int
    last: str | None = None

    def filter(self) -> Document:
        """Return the filter for MongoDB."""
        return {"_id": {"$gt": self.after} | ({} if self.last is None else {"$lte": self.last})}


class RewrapStore:
    """What is sealed, tagged or wrapped in the collections with tags, and the audit key.

    Every method raises StoreUnavailable if the database does not answer in time.
    """

    def __init__(self, database: Database[Document]) -> None:
        self._secrets = database[secrets.COLLECTION]
        self._tokens = database[tokens.COLLECTION]
        self._sessions = database[sessions.COLLECTION]
        self._shares = database[shares.COLLECTION]
        self._grants = database[grants.COLLECTION]
        self._roles = database[approles.COLLECTION]
        self._secret_ids = database[secret_ids.COLLECTION]
        self._meta = database[canary.COLLECTION]

    def secrets_not_under(self, key: KeyRanges, page_slice: Slice) -> ReadItems[Secret]:
        """Return secrets that have anything under another master key, or no whole tag; without payloads."""
        return _read(
            self._secrets.find(page_slice.filter() | _not_under(key), secret_documents.WITHOUT_PAYLOADS),
            page_slice,
            secret_documents.read,
        )

    def tokens_not_under(self, key: KeyRanges, page_slice: Slice) -> ReadItems[StoredToken]:
        """Return tokens without a whole tag under this master key."""
        return _read(self._tokens.find(page_slice.filter() | _tag_not_under(key)), page_slice, tokens.read)

    def sessions_not_under(self, key: KeyRanges, page_slice: Slice) -> ReadItems[StoredSession]:
        """Return sessions without a tag under this master key."""
        return _read(
            self._sessions.find(page_slice.filter() | _tag_not_under(key)), page_slice, sessions.read
        )

    def shares_not_under(self, key: KeyRanges, page_slice: Slice) -> ReadItems[StoredShare]:
        """Return shares without a tag under this master key."""
        return _read(self._shares.find(page_slice.filter() | _tag_not_under(key)), page_slice, shares.read)

    def grants_not_under(self, key: KeyRanges, page_slice: Slice) -> ReadItems[StoredGrant]:
        """Return grants without a tag under this master key."""
        return _read(self._grants.find(page_slice.filter() | _tag_not_under(key)), page_slice, grants.read)

    def roles_not_under(self, key: KeyRanges, page_slice: Slice) -> ReadItems[StoredAppRole]:
        """Return AppRoles without a tag under this master key."""
        return _read(self._roles.find(page_slice.filter() | _tag_not_under(key)), page_slice, approles.read)

    def secret_ids_not_under(self, key: KeyRanges, page_slice: Slice) -> ReadItems[StoredSecretId]:
        """Return secret ids of AppRoles without a tag under this master key."""
        return _read(
            self._secret_ids.find(page_slice.filter() | _tag_not_under(key)), page_slice, secret_ids.read
        )

    def legacy(self, page_slice: Slice) -> ReadItems[Secret]:
        """Return records of an earlier implementation, with their values."""
        return _read(self._secrets.find(page_slice.filter() | _LEGACY), page_slice, secret_documents.read)

    def rewrap(self, changes: Sequence[tuple[Secret, Secret]]) -> int:
        """Replace tag, revision and data keys of each first secret; return how many changed.

        A secret that has changed since it was read stays as it is.

        Raises:
            StoreUnavailable: some may have been changed.
        """
        updates = []
        for before, after in changes:
            changed: Document = {"revision": after.revision, "tag": after.tag}
            for index, (old, new) in enumerate(zip(before.versions, after.versions, strict=True)):
                if isinstance(new.sealed, Envelope) and new.sealed != old.sealed:
                    changed[f"versions.{index}.data_key"] = new.sealed.data_key
            unchanged = {"_id": before.secret_id, "revision": before.revision}
            updates.append(UpdateOne(unchanged, {"$set": changed}))
        with map_errors():
            return self._secrets.bulk_write(updates, ordered=False).matched_count

    def count_not_under(self, key: KeyRanges) -> int:
        """Return how many records are not entirely under this master key, with whole tags."""
        with map_errors():
            return (
                self._secrets.count_documents(_not_under(key))
                + self._secrets.count_documents(_LEGACY)
                + self._tokens.count_documents(_tag_not_under(key))
                + self._sessions.count_documents(_tag_not_under(key))
                + self._shares.count_documents(_tag_not_under(key))
                + self._grants.count_documents(_tag_not_under(key))
                + self._roles.count_documents(_tag_not_under(key))
                + self._secret_ids.count_documents(_tag_not_under(key))
            )

    def any_under(self, key: KeyRanges) -> bool:
        """Return whether anything is under this master key."""
        tagged = {"$or": [{"tag": secret_queries.within(each)} for each in (key.tags, key.partial_tags)]}
        wrapped = {"versions": {"$elemMatch": {"data_key": secret_queries.within(key.data_keys)}}}
        with map_errors():
            return any(
                collection.find_one(query, {"_id": True}) is not None
                for collection, query in (
                    (self._secrets, wrapped),
                    (self._secrets, tagged),
                    (self._tokens, tagged),
                    (self._sessions, tagged),
                    (self._shares, tagged),
                    (self._grants, tagged),
                    (self._roles, tagged),
                    (self._secret_ids, tagged),
                    (self._meta, audit_keys.ANY | {"data_key": secret_queries.within(key.data_keys)}),
                )
            )

    def list_encrypted(self) -> Iterator[tuple[EncryptedItem, bytes]]:
        """Yield every encrypted item with its bytes; empty if they are malformed, or for a legacy record.

        Reads the collections completely; each batch has its own time limit.
        """
        with map_errors():
            for document in self._secrets.find({}, _ENCRYPTED_FIELDS).batch_size(_BATCH_SIZE):
                if document["legacy"]:
                    yield EncryptedItem.LEGACY, b""
                if "tag" in document:
                    yield EncryptedItem.SECRET_TAG, _bytes(document["tag"])
                for version in document.get("versions", ()):
                    if "data_key" in version:
                        yield EncryptedItem.VERSION, _bytes(version["data_key"])
            for collection in (self._tokens, self._sessions, self._shares):
                for document in collection.find({}, {"tag": True}).batch_size(_BATCH_SIZE):
                    yield EncryptedItem.TOKEN_TAG, _bytes(document.get("tag"))
            for document in self._grants.find({}, {"tag": True}).batch_size(_BATCH_SIZE):
                yield EncryptedItem.GRANT_TAG, _bytes(document.get("tag"))
            for collection in (self._roles, self._secret_ids):
                for document in collection.find({}, {"tag": True}).batch_size(_BATCH_SIZE):
                    yield EncryptedItem.APPROLE_TAG, _bytes(document.get("tag"))
            for document in self._meta.find(audit_keys.ANY):
                yield EncryptedItem.AUDIT_KEY, _bytes(document.get("data_key"))


def _not_under(key: KeyRanges) -> Document:
    data_keys = [
        {"versions": {"$elemMatch": {"data_key": condition}}}
        for condition in secret_queries.outside(key.data_keys)
    ]
    return {"$or": [*data_keys, _tag_not_under(key)], "ciphertext": {"$exists": False}}


def _tag_not_under(key: KeyRanges) -> Document:
    # Partial tags are outside as well, under whichever key.
    return {"$or": [{"tag": condition} for condition in (*secret_queries.outside(key.tags), None)]}


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""


def _read(
    found: Cursor[Document], page_slice: Slice, read: Callable[[Document], Record]
) -> ReadItems[Record]:
    with map_errors():
        return [
            (document["_id"], _or_error(read, document))
            for document in found.sort("_id", ASCENDING).limit(page_slice.count)
        ]


def _or_error(read: Callable[[Document], Record], document: Document) -> Record | Tampered:
    try:
        return read(document)
    except Tampered as error:
        return error
