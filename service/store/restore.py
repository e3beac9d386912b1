"""Moves staged collections into the live ones; a marker in ``meta`` shows an unfinished restore."""

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

_BATCH_SIZE = 1000


class RestoreStore:
    """The live collections, as a restore uses them.

    Every method raises StoreUnavailable if the database does not answer in time.
    """

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
        """Return whether there is any secret, including destroyed ones that are still listed as such."""
        with map_errors():
            return self._database[secrets.COLLECTION].find_one({}, {"_id": True}) is not None

    def is_unfinished(self) -> bool:
        """Return whether a restore was started and not finished."""
        return self._canaries.restoring_since() is not None

    def put_in_place(self, staging: Staging, at: datetime) -> Iterator[int]:
        """Move everything into the live collections; yield the number of documents of each batch.

        The database is marked until this is finished.  If it fails, the mark stays: run it again.

        Raises:
            StoreUnavailable: the restore is incomplete.
            ConfigurationError: somebody else writes to the same database; the restore is incomplete.
        """
        self._canaries.mark_restoring(at)
        is_other_log = self._adopt_audit_key(staging)
        for name, policy in INCLUDED.items():
            if policy is RestorePolicy.ADD_OR_REPLACE and is_other_log:
                self._replace_numbered(staging, name)
                continue
            if policy is RestorePolicy.REPLACE:
                self._empty(name)
            if policy is RestorePolicy.MERGE_COUNTS:
                self._add_wrap_counts(staging)
            yield from self._add_missing(staging, name, policy)
        self._canaries.mark_restoring(None)

    def is_other_log(self, staging: Staging) -> bool:
        """Return whether the backup's audit log is another than the one here, before or after a restore."""
        key = self._staged_audit_key(staging)
        return key is not None and self._audit_keys.is_other(key)

    def _adopt_audit_key(self, staging: Staging) -> bool:
        """Store the backup's audit key; return whether it belongs to another log than the one here."""
        key = self._staged_audit_key(staging)
        return key is not None and self._audit_keys.adopt(key)

    def _staged_audit_key(self, staging: Staging) -> Document | None:
        with map_errors():
            return staging.collection(canary.COLLECTION).find_one({"_id": audit_keys.AUDIT_KEY})

    def _replace_numbered(self, staging: Staging, name: str) -> None:
        """Replace the live documents with the backup's; they are few, and their ids count from 1."""
        last = 0
        with map_errors():
            for document in staging.collection(name).find({}):
                self._database[name].replace_one({"_id": document["_id"]}, document, upsert=True)
                last = max(last, document["_id"])
            self._database[name].delete_many({"_id": {"$gt": last}})

    def _empty(self, name: str) -> None:
        with map_errors():
            while found := list(self._database[name].find({}, {"_id": True}).limit(_BATCH_SIZE)):
                self._database[name].delete_many({"_id": {"$in": [document["_id"] for document in found]}})

    def _add_wrap_counts(self, staging: Staging) -> None:
        with map_errors():
            found = list(staging.collection(canary.COLLECTION).find({}))
        for key_id, wraps in KeyStore.wraps_in(found):
            self._keys.reserve(key_id, wraps)

    def _add_missing(self, staging: Staging, name: str, policy: RestorePolicy) -> Iterator[int]:
        raw = staging.collection(name).with_options(
            codec_options=self._database.codec_options.with_options(document_class=RawBSONDocument)
        )
        batch: list[RawBSONDocument] = []
        with map_errors():
            for document in raw.find({}).batch_size(_BATCH_SIZE):
                batch.append(document)
                if len(batch) == _BATCH_SIZE:
                    self._insert(name, batch, policy)
                    yield len(batch)
                    batch = []
            if batch:
                self._insert(name, batch, policy)
                yield len(batch)

    def _insert(self, name: str, batch: Sequence[RawBSONDocument], policy: RestorePolicy) -> None:
        try:
            self._database[name].insert_many(batch, ordered=False)
        except BulkWriteError as error:
            if any(failed["code"] != DUPLICATE_KEY for failed in error.details["writeErrors"]):
                raise
            if policy is RestorePolicy.REPLACE:
                raise ConfigurationError(
                    "a secret with an id or a path of the backup was written during the restore: stop the"
                    " API's replicas, then run the restore again"
                ) from None
