"""What is under which master key: secrets, tokens, and the key of the audit log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pymongo import ASCENDING, UpdateOne
from pymongo.cursor import Cursor
from pymongo.database import Database

from ..errors import Tampered
from ..models import EncryptedItem, KeyRanges, StoredToken
from ..records import Secret, Wrapped
from . import audit_keys, canary, secret_documents, secret_queries, secrets, tokens
from .database import Document, map_errors

Record = TypeVar("Record")
# Ids beside what was read; in the place of a document that nobody wrote like this there is the error.
ReadItems = Sequence[tuple[str, Record | Tampered]]

_WITHOUT_VALUES = {"versions.payload": False}
_LEGACY: Document = {"ciphertext": {"$exists": True}}
# Few enough for one step to be done in time, whatever else the database has to do.
_SURVEYED_AT_ONCE = 1000
# All that the survey looks at; what has not the shape that was written has no versions either.
_SURVEYED = {
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
    """Some of the documents: up to ``count`` with an id behind ``after``, up to and including ``last``."""

    after: str
    count: int
    last: str | None = None

    def named(self) -> Document:
        """Return the filter."""
        return {"_id": {"$gt": self.after} | ({} if self.last is None else {"$lte": self.last})}


class RewrapStore:
    """What is sealed, tagged or wrapped in ``secrets`` and ``tokens``, and the audit key in ``meta``."""

    def __init__(self, database: Database[Document]) -> None:
        self._secrets = database[secrets.COLLECTION]
        self._tokens = database[tokens.COLLECTION]
        self._meta = database[canary.COLLECTION]

    def secrets_not_under(self, key: KeyRanges, page_slice: Slice) -> ReadItems[Wrapped]:
        """Return secrets of which anything is under another master key.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        return _read(
            self._secrets.find(page_slice.named() | _not_under(key), _WITHOUT_VALUES),
            page_slice,
            secret_documents.read_wrapped,
        )

    def tokens_not_under(self, key: KeyRanges, page_slice: Slice) -> ReadItems[StoredToken]:
        """Return tokens whose tag is under another master key.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        return _read(self._tokens.find(page_slice.named() | _tag_not_under(key)), page_slice, tokens.read)

    def legacy(self, page_slice: Slice) -> ReadItems[Secret]:
        """Return records of an earlier implementation, with their values.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        return _read(self._secrets.find(page_slice.named() | _LEGACY), page_slice, secret_documents.read)

    def rewrap(self, changes: Sequence[tuple[Wrapped, Wrapped]]) -> int:
        """Put the second of each pair's tag and data keys in the place of the first's; return for how many.

        A secret that was changed meanwhile stays as it is.

        Raises:
            StoreUnavailable: some may have been changed.
        """
        updates = []
        for before, after in changes:
            changed: Document = {"revision": (before.secret.revision or 0) + 1}
            if after.secret.tag != before.secret.tag:
                changed["tag"] = after.secret.tag
            for place, (old, new) in enumerate(zip(before.data_keys, after.data_keys, strict=True)):
                if new != old:
                    changed[f"versions.{place}.data_key"] = new
            wanted = {"_id": before.secret.secret_id, "revision": before.secret.revision}
            updates.append(UpdateOne(wanted, {"$set": changed}))
        with map_errors():
            return self._secrets.bulk_write(updates, ordered=False).matched_count

    def retag(self, changes: Sequence[tuple[StoredToken, StoredToken]]) -> int:
        """Put the second of each pair's tag in the place of the first's; return for how many.

        A token that was renewed meanwhile stays as it is.

        Raises:
            StoreUnavailable: some may have it.
        """
        updates = [
            UpdateOne({"_id": before.token.token_id, "tag": before.tag}, {"$set": {"tag": after.tag}})
            for before, after in changes
        ]
        with map_errors():
            return self._tokens.bulk_write(updates, ordered=False).matched_count

    def count_not_under(self, key: KeyRanges) -> int:
        """Return how many secrets and tokens are not, or not wholly, under this master key.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        with map_errors():
            return (
                self._secrets.count_documents(_not_under(key))
                + self._secrets.count_documents(_LEGACY)
                + self._tokens.count_documents(_tag_not_under(key))
            )

    def any_under(self, key: KeyRanges) -> bool:
        """Return whether anything is under this master key.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        tagged = {"tag": secret_queries.within(key.tags)}
        wrapped = {"versions": {"$elemMatch": {"data_key": secret_queries.within(key.data_keys)}}}
        with map_errors():
            return any(
                collection.find_one(wanted, {"_id": True}) is not None
                for collection, wanted in (
                    (self._secrets, wrapped),
                    (self._secrets, tagged),
                    (self._tokens, tagged),
                    (self._meta, audit_keys.ANY | {"data_key": secret_queries.within(key.data_keys)}),
                )
            )

    def list_encrypted(self) -> Iterator[tuple[EncryptedItem, bytes]]:
        """Yield everything that is under a master key; empty bytes where it is none, or an old record.

        Reads both collections from end to end; each step of it has a time limit of its own.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        with map_errors():
            for document in self._secrets.find({}, _SURVEYED).batch_size(_SURVEYED_AT_ONCE):
                if document["legacy"]:
                    yield EncryptedItem.LEGACY, b""
                if "tag" in document:
                    yield EncryptedItem.SECRET_TAG, _bytes(document["tag"])
                for version in document.get("versions", ()):
                    if "data_key" in version:
                        yield EncryptedItem.VERSION, _bytes(version["data_key"])
            for document in self._tokens.find({}, {"tag": True}).batch_size(_SURVEYED_AT_ONCE):
                yield EncryptedItem.TOKEN_TAG, _bytes(document.get("tag"))
            for document in self._meta.find(audit_keys.ANY):
                yield EncryptedItem.AUDIT_KEY, _bytes(document.get("data_key"))


def _not_under(key: KeyRanges) -> Document:
    data_keys = [
        {"versions": {"$elemMatch": {"data_key": condition}}}
        for condition in secret_queries.outside(key.data_keys)
    ]
    return {"$or": [*data_keys, _tag_not_under(key)]}


def _tag_not_under(key: KeyRanges) -> Document:
    return {"$or": [{"tag": condition} for condition in secret_queries.outside(key.tags)]}


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
