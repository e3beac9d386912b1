"""Brings what lies apart into its place, and marks the database for as long as that takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from bson.raw_bson import RawBSONDocument
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from ..errors import ConfigurationError
from . import audit_keys, canary, secrets
from .audit_keys import AuditKeyStore
from .backup_collections import INCLUDED, RestorePolicy
from .canary import CanaryStore
from .database import DUPLICATE_KEY, Document, map_errors
from .master_keys import KeyStore
from .staging import Staging

_AT_ONCE = 1000


class RestoreStore:
    """The live collections, seen by a restore."""

    def __init__(
        self,
        database: Database[Document],
        canaries: CanaryStore,
        keys: KeyStore,
        own_audit_keys: AuditKeyStore,
    ) -> None:
        self._database = database
        self._audit_keys = own_audit_keys
        self._canaries = canaries
        self._keys = keys

    def holds_secrets(self) -> bool:
        """Return whether there is any secret, one that is only told of included.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        with map_errors():
            return self._database[secrets.COLLECTION].find_one({}, {"_id": True}) is not None

    def is_unfinished(self) -> bool:
        """Return whether a restore began and did not end.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        return self._canaries.restoring_since() is not None

    def put_in_place(self, staging: Staging, at: datetime) -> Iterator[int]:
        """Bring everything into its place; yield how many documents were done since the last time.

        The database is marked meanwhile, and stays so where this does not come to its end: it is to be
        done again then.

        Raises:
            StoreUnavailable: it is half done.
            ConfigurationError: somebody else writes to the same database; it is half done.
        """
        self._canaries.mark_restoring(at)
        another = self._adopt_audit_key(staging)
        for name, how in INCLUDED.items():
            if how is RestorePolicy.ADD_OR_REPLACE and another:
                self._exchange(staging, name)
                continue
            if how is RestorePolicy.REPLACE:
                self._empty(name)
            if how is RestorePolicy.MERGE_COUNTS:
                self._add_up(staging)
            yield from self._complete(staging, name, how)
        self._canaries.mark_restoring(None)

    def _adopt_audit_key(self, staging: Staging) -> bool:
        """Keep the backup's key of the audit log; return whether its log is another than the one here."""
        with map_errors():
            key = staging.collection(canary.COLLECTION).find_one({"_id": audit_keys.AUDIT_KEY})
        return key is not None and self._audit_keys.adopt(key)

    def _exchange(self, staging: Staging, name: str) -> None:
        """Put the backup's documents, few and numbered, in the place of those that are there."""
        last = 0
        with map_errors():
            for document in staging.collection(name).find({}):
                self._database[name].replace_one({"_id": document["_id"]}, document, upsert=True)
                last = max(last, document["_id"])
            self._database[name].delete_many({"_id": {"$gt": last}})

    def _empty(self, name: str) -> None:
        with map_errors():
            while found := list(self._database[name].find({}, {"_id": True}).limit(_AT_ONCE)):
                self._database[name].delete_many({"_id": {"$in": [one["_id"] for one in found]}})

    def _add_up(self, staging: Staging) -> None:
        with map_errors():
            found = list(staging.collection(canary.COLLECTION).find({}))
        for key_id, wraps in KeyStore.wraps_in(found):
            self._keys.reserve(key_id, wraps)

    def _complete(self, staging: Staging, name: str, how: RestorePolicy) -> Iterator[int]:
        raw = staging.collection(name).with_options(
            codec_options=self._database.codec_options.with_options(document_class=RawBSONDocument)
        )
        batch: list[RawBSONDocument] = []
        with map_errors():
            for document in raw.find({}).batch_size(_AT_ONCE):
                batch.append(document)
                if len(batch) == _AT_ONCE:
                    self._insert(name, batch, how)
                    yield len(batch)
                    batch = []
            if batch:
                self._insert(name, batch, how)
                yield len(batch)

    def _insert(self, name: str, batch: Sequence[RawBSONDocument], how: RestorePolicy) -> None:
        try:
            self._database[name].insert_many(batch, ordered=False)
        except BulkWriteError as error:
            if any(one["code"] != DUPLICATE_KEY for one in error.details["writeErrors"]):
                raise
            if how is RestorePolicy.REPLACE:
                raise ConfigurationError(
                    "somebody wrote a secret meanwhile, at an id or a path of the backup: stop the API's"
                    " replicas, then run it again"
                ) from None
