"""Stores secrets: one document each, so that every change is one atomic operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import TypeVar

from pymongo.client_session import ClientSession
from pymongo.database import Database

from ..errors import SecretHidden, SecretNotFound, Tampered
from ..models import AccessFilter
from ..records import Secret
from . import secret_documents, secret_queries
from .database import Document, in_transaction, map_errors
from .secret_batches import BatchedInserts, BatchedReads
from .secret_queries import SecretRef
from .write_errors import map_write_errors

COLLECTION = "secrets"

Result = TypeVar("Result")

Found = dict[SecretRef, Secret | Tampered]
Missing = dict[SecretRef, Secret | Tampered | SecretNotFound]


class SecretStore:
    """The collection ``secrets``; with a ``session``, inside the transaction that runs in it.

    Outside transactions, inserts and single reads are batched with those of other requests;
    ``operation_timeout`` is how many seconds they wait if no other deadline applies.  Every method raises
    StoreUnavailable if the database does not answer in time.
    """

    def __init__(
        self, database: Database[Document], operation_timeout: float, session: ClientSession | None = None
    ) -> None:
        self._database = database
        self._collection = database[COLLECTION]
        self._operation_timeout = operation_timeout
        self._session = session
        self._inserts = BatchedInserts(self._collection, operation_timeout)
        self._finds = BatchedReads(self._collection, operation_timeout)
        self._whole_finds = BatchedReads(self._collection, operation_timeout, whole=True)
        # The driver retries a whole transaction after some errors, so it has to see its own errors.
        self._errors = map_errors if session is None else nullcontext

    def insert(self, secret: Secret, ends_at: datetime | None) -> None:
        """Insert a new secret; MongoDB removes it after ``ends_at``.

        Raises:
            PathTaken: another secret has its path.
            StoreUnavailable: it may or may not have been stored.
        """
        document = {"_id": secret.secret_id, **secret_documents.write(secret), **_ending(ends_at)}
        if self._session is None:
            self._inserts.insert(document)
            return
        with map_write_errors():
            self._collection.insert_one(document, session=self._session)

    def swap(self, before: Secret, after: Secret, ends_at: datetime | None) -> bool:
        """Replace ``before`` with ``after``, both with all values; return False if it has changed since.

        ``after`` has a revision of its own.  Sends only the fields that differ.

        Raises:
            PathTaken: another secret has its new path.
            TooLarge: the document would exceed MongoDB's limit.
            StoreUnavailable: it may or may not have been changed.
        """
        old, new = secret_documents.write(before), secret_documents.write(after)
        changed = {name: value for name, value in new.items() if name not in old or old[name] != value}
        ending = _ending(ends_at)
        # Where an earlier implementation stored the value, which is among the versions now.
        gone = {*old.keys() - new.keys(), "ciphertext", *({"ends_at"} - ending.keys())}
        with self._errors(), map_write_errors():
            result = self._collection.update_one(
                {"_id": before.secret_id, "revision": before.revision},
                {"$set": {**changed, **ending}, "$unset": dict.fromkeys(gone, True)},
                session=self._session,
            )
        return result.matched_count == 1

    def remove_ended(self, paths: Sequence[str], at: datetime) -> bool:
        """Remove ended secrets at these paths, as MongoDB would soon do; return whether there were any.

        Raises:
            StoreUnavailable: it may or may not have been removed.
        """
        with self._errors():
            result = self._collection.delete_many(
                {"path": {"$in": list(paths)}, "ends_at": {"$lte": at}}, session=self._session
            )
        return result.deleted_count > 0

    def find_with_value(self, refs: Sequence[SecretRef], access: AccessFilter, number: int | None) -> Found:
        """Return those of these secrets that exist and that ``access`` allows.

        They have the value of version ``number``; None means the current version.

        The database does the same work for a secret outside ``access`` as for one that does not exist.  For a
        document that neither this service nor its predecessor wrote, an error is returned in its place, so
        that the others are still found.
        """
        if self._session is None and len(refs) == 1:
            return _as_found(refs[0], self._finds.find(refs[0], access, number))
        return self._find(refs, access, {"$set": {"versions": secret_queries.with_values_of([number])}})

    def find_without_values(self, refs: Sequence[SecretRef], access: AccessFilter) -> Found:
        """Return the same without any value."""
        return self._find(refs, access, {"$project": secret_documents.WITHOUT_PAYLOADS})

    def find_whole(self, refs: Sequence[SecretRef], access: AccessFilter) -> Found:
        """Return the same with all values, as ``swap`` needs them."""
        if self._session is None and len(refs) == 1:
            return _as_found(refs[0], self._whole_finds.find(refs[0], access))
        return self._find(refs, access)

    def find_by_id(self, secret_ids: Sequence[str]) -> list[Secret | Tampered]:
        """Return those of these secrets that exist, whoever may access them, without values."""
        return [
            _read_or_error(document)
            for document in self._aggregate(
                {"$match": {"_id": {"$in": list(secret_ids)}}},
                {"$project": secret_documents.WITHOUT_PAYLOADS},
            )
        ]

    def find_missing(self, refs: Sequence[SecretRef], access: AccessFilter) -> Missing:
        """Return why a read did not find these secrets, by reference.

        The value is the secret last destroyed at the path, or an error: ``SecretHidden`` if there is one
        outside ``access``, which only the audit log may show, else ``SecretNotFound``.  The database does the
        same work for both, so they take the same time.
        """
        existing = secret_queries.by_ref(
            self._aggregate({"$match": secret_queries.matching(refs)}, {"$project": {"path": True}}), refs
        )
        paths = [ref.text for ref in refs if ref.is_path]
        destroyed = self._destroyed_at(paths, access) if paths else {}
        return {
            ref: destroyed[ref.text]
            if ref.is_path and ref.text in destroyed
            else SecretHidden()
            if ref in existing
            else SecretNotFound()
            for ref in refs
        }

    def paths_of(self, refs: Sequence[SecretRef]) -> set[str]:
        """Return the paths of these secrets, present and former, regardless of scopes."""
        with self._errors():
            found = list(
                self._collection.find(
                    secret_queries.matching(refs), {"path": True, "former_path": True}, session=self._session
                )
            )
        return {path for document in found for path in secret_queries.paths_in(document)}

    def find_any(self) -> Secret | None:
        """Return any one secret that has a value, not of an earlier implementation if there is another.

        Raises:
            Tampered: neither this service nor its predecessor wrote its document.
        """
        with self._errors():
            document = self._collection.find_one(
                {"destroyed_at": None, "ciphertext": None, "current": {"$gte": 1}}
            ) or self._collection.find_one({"destroyed_at": None, "current": {"$ne": 0}})
        return None if document is None else secret_documents.read(document)

    def in_transaction(self, work: Callable[[SecretStore], Result]) -> Result:
        """Call ``work`` with a store in a transaction: all of its changes are made, or none.

        ``work`` is called again if others change the same secrets at the same time.

        Raises:
            StoreUnavailable: either all or none of the changes were made.
        """
        return in_transaction(
            self._database,
            lambda session: work(SecretStore(self._database, self._operation_timeout, session)),
        )

    def _find(self, refs: Sequence[SecretRef], access: AccessFilter, *stages: Document) -> Found:
        found = self._aggregate(
            {"$match": {"$and": [secret_queries.matching(refs), secret_queries.accessible(access)]}}, *stages
        )
        allowed = [document for document in found if secret_queries.allows(access, document)]
        by_ref = secret_queries.by_ref(allowed, refs)
        return {ref: _read_or_error(document) for ref, document in by_ref.items()}

    def _destroyed_at(self, paths: Sequence[str], access: AccessFilter) -> dict[str, Secret | Tampered]:
        found = self._aggregate(
            {"$match": {"$and": [{"former_path": {"$in": paths}}, secret_queries.accessible(access)]}},
            {"$sort": {"former_path": 1, "destroyed_at": -1}},
            {"$group": {"_id": "$former_path", "secret": {"$first": "$$ROOT"}}},
        )
        return {
            group["_id"]: _read_or_error(group["secret"])
            for group in found
            if secret_queries.allows(access, group["secret"])
        }

    def _aggregate(self, *stages: Document) -> list[Document]:
        with self._errors():
            return list(self._collection.aggregate(list(stages), session=self._session))


def _ending(ends_at: datetime | None) -> Document:
    return {} if ends_at is None else {"ends_at": ends_at}


def _as_found(ref: SecretRef, document: Document | None) -> Found:
    return {} if document is None else {ref: _read_or_error(document)}


def _read_or_error(document: Document) -> Secret | Tampered:
    try:
        return secret_documents.read(document)
    except Tampered as error:
        return error
