"""Where secrets are kept: one document each, so that every change is one atomic operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from ..errors import SecretHidden, SecretNotFound, Tampered
from ..models import AccessFilter
from ..records import Secret
from . import secret_documents, secret_queries
from .database import Document, map_errors
from .secret_batches import BatchedInserts, BatchedReads
from .secret_queries import SecretRef
from .write_errors import map_write_errors

COLLECTION = "secrets"

Result = TypeVar("Result")

Found = dict[SecretRef, Secret | Tampered]
Missing = dict[SecretRef, Secret | Tampered | SecretNotFound]


class SecretStore:
    """The collection ``secrets``; with a ``session``, as the transaction that runs in it sees it.

    Outside of transactions, an insert and a read of one secret share round trips with those of other
    requests; ``operation_timeout`` is how many seconds they wait for that where nothing else bounds them.
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
        # What goes wrong in a transaction may be mended by trying all of it again: the driver does that,
        # and has to see its own errors.
        self._errors = map_errors if session is None else nullcontext

    def insert(self, secret: Secret, ends_at: datetime | None) -> None:
        """Keep a new secret; from ``ends_at`` on MongoDB removes it.

        Raises:
            PathTaken: another secret has its path.
            StoreUnavailable: it may or may not have been kept.
        """
        document = {"_id": secret.secret_id, **secret_documents.write(secret), **_ending(ends_at)}
        if self._session is None:
            self._inserts.insert(document)
            return
        with map_write_errors():
            self._collection.insert_one(document, session=self._session)

    def swap(self, before: Secret, after: Secret, ends_at: datetime | None) -> bool:
        """Put ``after`` in the place of ``before``, both whole; return False where that is there no more.

        Of all fields only those are sent that differ.

        Raises:
            PathTaken: another secret has its new path.
            TooLarge: MongoDB takes no document of this size.
            StoreUnavailable: it may or may not have been changed.
        """
        after = replace(after, revision=(before.revision or 0) + 1)
        old, new = secret_documents.write(before), secret_documents.write(after)
        changed = {name: value for name, value in new.items() if name not in old or old[name] != value}
        ending = _ending(ends_at)
        # A record of an earlier implementation has its value there; it is among the versions now.
        gone = {*old.keys() - new.keys(), "ciphertext", *({"ends_at"} - ending.keys())}
        with self._errors(), map_write_errors():
            result = self._collection.update_one(
                {"_id": before.secret_id, "revision": before.revision},
                {"$set": {**changed, **ending}, "$unset": dict.fromkeys(gone, True)},
                session=self._session,
            )
        return result.matched_count == 1

    def remove_ended(self, paths: Sequence[str], at: datetime) -> bool:
        """Remove what MongoDB would soon remove from these paths; return whether there was anything.

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

        Of all values only that of version ``number`` is among them, or that of the current version.

        The database looks at and transfers no more for a secret beyond ``access`` than for one that does
        not exist.  A document that neither this service nor its predecessor wrote becomes an error in its
        place, so that it does not hide the others.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        if self._session is None and number is None and len(refs) == 1:
            document = self._finds.find(refs[0], access)
            return {} if document is None else {refs[0]: _read_or_error(document)}
        return self._find(refs, access, {"$set": {"versions": secret_queries.with_value_of(number)}})

    def find_without_values(self, refs: Sequence[SecretRef], access: AccessFilter) -> Found:
        """Return the same without any value."""
        return self._find(refs, access, {"$project": {"versions.payload": False}})

    def find_whole(self, refs: Sequence[SecretRef], access: AccessFilter) -> Found:
        """Return the same with all values: what ``swap`` takes."""
        return self._find(refs, access)

    def find_missing(self, refs: Sequence[SecretRef], access: AccessFilter) -> Missing:
        """Return what became of secrets that a read did not find, each one under its reference.

        That is the secret destroyed last at the path, or the error: ``SecretHidden`` if there is one beyond
        ``access``, which only the audit log may know, else ``SecretNotFound``.  The database does the same
        work for both, so that they take the same time.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        existing = secret_queries.by_ref(
            self._aggregate({"$match": secret_queries.named(refs)}, {"$project": {"path": True}}), refs
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

    def find_any(self) -> Secret | None:
        """Return one secret that has a value, whichever comes first, or None where there is none.

        Raises:
            StoreUnavailable: the database did not answer.
            Tampered: its document is none that this service or its forerunner wrote.
        """
        with self._errors():
            document = self._collection.find_one({"destroyed_at": None})
        return None if document is None else secret_documents.read(document)

    def in_transaction(self, work: Callable[[SecretStore], Result]) -> Result:
        """Do all that ``work`` does with the store that it is given, or nothing of it.

        It may be called again, where others change the same secrets meanwhile.

        Raises:
            StoreUnavailable: all of it or nothing may have been done.
        """
        with map_errors(), self._database.client.start_session() as session:
            return session.with_transaction(
                lambda inside: work(SecretStore(self._database, self._operation_timeout, inside)),
                read_concern=ReadConcern("snapshot"),
                write_concern=WriteConcern("majority", j=True),
            )

    def _find(self, refs: Sequence[SecretRef], access: AccessFilter, *stages: Document) -> Found:
        found = self._aggregate(
            {"$match": {"$and": [secret_queries.named(refs), secret_queries.accessible(access)]}}, *stages
        )
        by_ref = secret_queries.by_ref(found, refs)
        return {ref: _read_or_error(document) for ref, document in by_ref.items()}

    def _destroyed_at(self, paths: Sequence[str], access: AccessFilter) -> dict[str, Secret | Tampered]:
        found = self._aggregate(
            {"$match": {"$and": [{"former_path": {"$in": paths}}, secret_queries.accessible(access)]}},
            {"$sort": {"former_path": 1, "destroyed_at": -1}},
            {"$group": {"_id": "$former_path", "secret": {"$first": "$$ROOT"}}},
        )
        return {one["_id"]: _read_or_error(one["secret"]) for one in found}

    def _aggregate(self, *stages: Document) -> list[Document]:
        with self._errors():
            return list(self._collection.aggregate(list(stages), session=self._session))


def _ending(ends_at: datetime | None) -> Document:
    return {} if ends_at is None else {"ends_at": ends_at}


def _read_or_error(document: Document) -> Secret | Tampered:
    try:
        return secret_documents.read(document)
    except Tampered as error:
        return error
