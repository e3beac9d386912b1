"""Stores the key of the audit log, wrapped under a master key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from types import NoneType

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from ..errors import Tampered
from .canary import COLLECTION
from .database import Document, expect_type, map_errors

AUDIT_KEY = "audit_key"
_FORMER = f"{AUDIT_KEY}."
# The key in use and the former ones.
ANY: Document = {"_id": {"$regex": f"^{AUDIT_KEY}"}}


@dataclass(frozen=True, slots=True)
class SealedAuditKey:
    """The audit key under a master key; ``mac`` authenticates ``unchained_until`` under the audit key itself.

    Records outside all chains are valid up to ``unchained_until``; None if there were none before.
    """

    data_key: bytes
    unchained_until: datetime | None
    mac: bytes


class AuditKeyStore:
    """The document ``audit_key`` in the collection ``meta``, and one for each log that was restored.

    Every method raises StoreUnavailable if the database does not answer in time.
    """

    def __init__(self, database: Database[Document]) -> None:
        self._collection = database[COLLECTION]

    def find(self) -> SealedAuditKey | None:
        """Return the key, or None if the database has none yet.

        Raises:
            Tampered: the document is malformed.
        """
        with map_errors():
            document = self._collection.find_one({"_id": AUDIT_KEY})
        return None if document is None else read(document)

    def former(self) -> list[SealedAuditKey]:
        """Return the keys of logs that were restored.

        Raises:
            Tampered: a document is malformed.
        """
        with map_errors():
            found = list(self._collection.find({"_id": {"$regex": f"^{re.escape(_FORMER)}"}}))
        return [read(document) for document in found]

    def insert(self, key: SealedAuditKey) -> bool:
        """Store the key unless another process was first; return whether it was stored.

        Raises:
            StoreUnavailable: it may or may not have been stored.
        """
        with map_errors():
            try:
                self._collection.insert_one(
                    {
                        "_id": AUDIT_KEY,
                        "data_key": key.data_key,
                        "unchained_until": key.unchained_until,
                        "mac": key.mac,
                    }
                )
            except DuplicateKeyError:
                return False
        return True

    def rewrap(self, before: SealedAuditKey, data_key: bytes) -> bool:
        """Replace the key's wrap unless another process was first; return whether it was replaced.

        Raises:
            StoreUnavailable: it may or may not have been replaced.
        """
        with map_errors():
            unchanged = ANY | {"data_key": before.data_key}
            return self._collection.update_one(unchanged, {"$set": {"data_key": data_key}}).matched_count == 1

    def is_other(self, document: Document) -> bool:
        """Return whether a backup's audit key is another than the one here.

        Raises:
            Tampered: the document is malformed.
        """
        own, other = self.find(), read(document)
        return own is not None and own.mac != other.mac

    def adopt(self, document: Document) -> bool:
        """Store a backup's audit key as a former one if it is another log's; return whether it is.

        Raises:
            Tampered: the document is malformed.
            StoreUnavailable: it may or may not have been stored.
        """
        if not self.is_other(document):
            return False
        name = f"{_FORMER}{read(document).mac.hex()[:16]}"
        with map_errors():
            self._collection.replace_one({"_id": name}, document | {"_id": name}, upsert=True)
        return True


def is_audit_key(document: Document) -> bool:
    """Return whether a document of ``meta`` has the id of an audit key, in use or former."""
    return str(document["_id"]).startswith(AUDIT_KEY)


def read(document: Document) -> SealedAuditKey:
    """Return the key that is stored as this document.

    Raises:
        Tampered: the document is malformed.
    """
    try:
        return SealedAuditKey(
            expect_type(document["data_key"], bytes),
            expect_type(document["unchained_until"], datetime, NoneType),
            expect_type(document["mac"], bytes),
        )
    except (KeyError, TypeError):
        raise Tampered("the document is not a valid audit key") from None
