"""The key of the audit log, sealed."""

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
# The one that is in use and the former ones.
ANY: Document = {"_id": {"$regex": f"^{AUDIT_KEY}"}}


@dataclass(frozen=True, slots=True)
class SealedAuditKey:
    """The audit key under a master key; ``mac`` authenticates ``unchained_until`` under the audit key itself.

    ``unchained_until`` is until when records may be in no chain: None where there were none before.
    """

    data_key: bytes
    unchained_until: datetime | None
    mac: bytes


class AuditKeyStore:
    """The document ``audit_key`` in the collection ``meta``; beside it those of logs that were restored."""

    def __init__(self, database: Database[Document]) -> None:
        self._collection = database[COLLECTION]

    def find(self) -> SealedAuditKey | None:
        """Return the key, or None where the database has none yet.

        Raises:
            Tampered: the document is not of the shape in which it is stored.
            StoreUnavailable: the database did not answer.
        """
        with map_errors():
            document = self._collection.find_one({"_id": AUDIT_KEY})
        return None if document is None else read(document)

    def former(self) -> list[SealedAuditKey]:
        """Return the keys of logs that were restored.

        Raises:
            Tampered, StoreUnavailable: as ``find``.
        """
        with map_errors():
            found = list(self._collection.find({"_id": {"$regex": f"^{re.escape(_FORMER)}"}}))
        return [read(document) for document in found]

    def insert(self, key: SealedAuditKey) -> bool:
        """Keep the key, unless another process was first; return whether it is kept.

        Raises:
            StoreUnavailable: it may or may not be.
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
        """Give the key another wrap, unless another process was first; return whether it was given.

        Raises:
            StoreUnavailable: it may or may not have it.
        """
        with map_errors():
            wanted = ANY | {"data_key": before.data_key}
            return self._collection.update_one(wanted, {"$set": {"data_key": data_key}}).matched_count == 1

    def adopt(self, document: Document) -> bool:
        """Keep another log's key, as it is stored there, as a former one; return whether it is another's.

        Raises:
            Tampered: it is not of the shape in which it is stored.
            StoreUnavailable: it may or may not be kept.
        """
        own, other = self.find(), read(document)
        if own is None or own.mac == other.mac:
            return False
        name = f"{_FORMER}{other.mac.hex()[:16]}"
        with map_errors():
            self._collection.replace_one({"_id": name}, document | {"_id": name}, upsert=True)
        return True


def is_one(document: Document) -> bool:
    """Return whether a document of ``meta`` is in the place of an audit key, in use or former."""
    return str(document["_id"]).startswith(AUDIT_KEY)


def read(document: Document) -> SealedAuditKey:
    """Return the key that a document of ``meta`` is.

    Raises:
        Tampered: it is not of the shape in which it is stored.
    """
    try:
        return SealedAuditKey(
            expect_type(document["data_key"], bytes),
            expect_type(document["unchained_until"], datetime, NoneType),
            expect_type(document["mac"], bytes),
        )
    except (KeyError, TypeError):
        raise Tampered("the audit key is not of the shape in which it is stored") from None
