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

from ..errors import Tampered
from ..models import Reach
from ..records import Secret
from . import secret_documents, secret_queries
from .database import Document, translated
from .secret_batches import SharedFinds, SharedInserts
from .secret_queries import Name
from .write_errors import refusals

COLLECTION = "secrets"

Result = TypeVar("Result")

Found = dict[Name, Secret | Tampered]


class SecretStore:
    """The collection ``secrets``; with a ``session``, as the transaction that runs in it sees it.

    Outside of transactions, an insert and a read of one secret share round trips with those of other
    requests; ``time_limit`` is how many seconds they wait for that where nothing else bounds them.
    """

    def __init__(
        self, database: Database[Document], time_limit: float, session: ClientSession | None = None
    ) -> None:
        self._database = database
        self._collection = database[COLLECTION]
        self._time_limit = time_limit
        self._session = session
        self._inserts = SharedInserts(self._collection, time_limit)
        self._finds = SharedFinds(self._collection, time_limit)
        # What goes wrong in a transaction may be mended by trying all of it again: the driver does that,
        # and has to see its own errors.
        self._errors = translated if session is None else nullcontext

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
        with refusals():
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
        with self._errors(), refusals():
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

    def find_with_value(self, names: Sequence[Name], reach: Reach, number: int | None) -> Found:
        """Return those secrets that there are and that ``reach`` covers.

        Of all values only that of the version ``number`` is among them, or that of the current one.

        What the reach does not cover is not found: the database looks and transfers no more for it
        than for a secret that does not exist.  In the place of a document that neither this service
        nor its forerunner wrote there is the error, so that it does not hide the others.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        if self._session is None and number is None and len(names) == 1:
            document = self._finds.find(names[0], reach)
            return {} if document is None else {names[0]: _read_or_error(document)}
        return self._find(names, reach, {"$set": {"versions": secret_queries.with_value_of(number)}})

    def find_without_values(self, names: Sequence[Name], reach: Reach) -> Found:
        """Return the same with no value at all."""
        return self._find(names, reach, {"$project": {"versions.payload": False}})

    def find_whole(self, names: Sequence[Name], reach: Reach) -> Found:
        """Return the same with all values: what ``swap`` takes."""
        return self._find(names, reach)

    def find_destroyed(self, names: Sequence[Name], reach: Reach) -> Found:
        """Return those secrets that were destroyed last at these paths.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        paths = [name.text for name in names if name.is_path]
        found = self._aggregate(
            {"$match": {"$and": [{"former_path": {"$in": paths}}, secret_queries.reached(reach)]}},
            {"$sort": {"former_path": 1, "destroyed_at": -1}},
            {"$group": {"_id": "$former_path", "secret": {"$first": "$$ROOT"}}},
        )
        return {Name(one["_id"], is_path=True): _read_or_error(one["secret"]) for one in found}

    def existing(self, names: Sequence[Name]) -> frozenset[Name]:
        """Return which of these there are, whoever asks; for the audit log alone.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        found = self._aggregate({"$match": secret_queries.named(names)}, {"$project": {"path": True}})
        return frozenset(secret_queries.by_name(found)).intersection(names)

    def find_any(self) -> Secret | None:
        """Return one secret that has a value, whichever comes first, or None where there is none.

        Raises:
            StoreUnavailable: the database did not answer.
            Tampered: its document is none that this service or its forerunner wrote.
        """
        with self._errors():
            document = self._collection.find_one({"destroyed_at": None})
        return None if document is None else secret_documents.read(document)

    def together(self, work: Callable[[SecretStore], Result]) -> Result:
        """Do all that ``work`` does with the store that it is given, or nothing of it.

        It may be called again, where others change the same secrets meanwhile.

        Raises:
            StoreUnavailable: all of it or nothing may have been done.
        """
        with translated(), self._database.client.start_session() as session:
            return session.with_transaction(
                lambda inside: work(SecretStore(self._database, self._time_limit, inside)),
                read_concern=ReadConcern("snapshot"),
                write_concern=WriteConcern("majority", j=True),
            )

    def _find(self, names: Sequence[Name], reach: Reach, *stages: Document) -> Found:
        found = self._aggregate(
            {"$match": {"$and": [secret_queries.named(names), secret_queries.reached(reach)]}}, *stages
        )
        by_name = secret_queries.by_name(found)
        return {name: _read_or_error(by_name[name]) for name in names if name in by_name}

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
