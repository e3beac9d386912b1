"""Batches inserts and reads of secrets from concurrent requests of one process into shared round trips.

Nothing is cached between batches: every read starts after it was requested.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from ..errors import StoreUnavailable
from ..group_commit import GroupCommit
from ..models import AccessFilter
from . import secret_documents, secret_queries, write_errors
from .database import Document, map_errors, seconds_left
from .secret_queries import SecretRef

# More than a process has threads; it limits the size of one command.
_MAX_BATCH = 256


class BatchedInserts:
    """Inserts new documents; each caller gets the outcome of its own document."""

    def __init__(self, collection: Collection[Document], operation_timeout: float) -> None:
        self._collection = collection
        self._operation_timeout = operation_timeout
        self._group = GroupCommit[Document, None](self._insert, _MAX_BATCH)

    def insert(self, document: Document) -> None:
        """Insert a new document.

        Raises:
            PathTaken: another one has its path.
            StoreUnavailable: it may or may not have been stored.
        """
        self._group.submit(document, seconds_left(self._operation_timeout))

    def _insert(self, documents: list[Document]) -> Sequence[Exception | None]:
        outcomes: list[Exception | None] = [None] * len(documents)
        if len(documents) == 1:
            # The driver's way for one document takes a fifth less than its way for many.
            with map_errors(), write_errors.map_write_errors():
                self._collection.insert_one(documents[0])
            return outcomes
        with map_errors():
            try:
                self._collection.insert_many(documents, ordered=False)
            except BulkWriteError as error:
                if error.details["writeConcernErrors"]:
                    # Rejections are final; the outcome of all other writes is unknown.
                    outcomes = [StoreUnavailable("no majority has confirmed the write")] * len(documents)
                for write_error in error.details["writeErrors"]:
                    outcomes[write_error["index"]] = write_errors.to_domain_error(write_error)
        return outcomes


@dataclass(frozen=True, slots=True)
class _Lookup:
    ref: SecretRef
    access: AccessFilter
    number: int | None = None


class BatchedReads:
    """Finds single secrets, with the value of one version, or ``whole``: with all values.

    Every method raises StoreUnavailable if the database does not answer in time.
    """

    def __init__(
        self, collection: Collection[Document], operation_timeout: float, *, whole: bool = False
    ) -> None:
        self._collection = collection
        self._operation_timeout = operation_timeout
        self._whole = whole
        self._group = GroupCommit[_Lookup, Document | None](self._find, _MAX_BATCH)

    def find(self, ref: SecretRef, access: AccessFilter, number: int | None = None) -> Document | None:
        """Return the document, or None if there is none that ``access`` allows.

        Unless it is whole, it has the value of version ``number``, or of the current one if None; maybe those
        of versions that were asked for of other secrets at the same time.
        """
        return self._group.submit(_Lookup(ref, access, number), seconds_left(self._operation_timeout))

    def _find(self, lookups: list[_Lookup]) -> Sequence[Document | None]:
        if len(lookups) == 1:
            # The database answers a find with less work than an aggregation.
            lookup = lookups[0]
            with map_errors():
                document = self._collection.find_one(
                    secret_queries.matching_and_accessible({lookup.access: [lookup.ref]}),
                    secret_documents.FIELDS | {"versions": self._versions([lookup.number])},
                )
            return [document if document and secret_queries.allows(lookup.access, document) else None]
        numbers = dict.fromkeys(lookup.number for lookup in lookups)
        refs: dict[AccessFilter, list[SecretRef]] = {}
        for lookup in lookups:
            refs.setdefault(lookup.access, []).append(lookup.ref)
        with map_errors():
            found = secret_queries.by_ref(
                self._collection.aggregate(
                    [
                        {"$match": secret_queries.matching_and_accessible(refs)},
                        {"$set": {"versions": self._versions(numbers)}},
                    ]
                ),
                [lookup.ref for lookup in lookups],
            )
        return [_allowed(found, lookup) for lookup in lookups]

    def _versions(self, numbers: Iterable[int | None]) -> Document | str:
        return "$versions" if self._whole else secret_queries.with_values_of(numbers)


def _allowed(found: Mapping[SecretRef, Document], lookup: _Lookup) -> Document | None:
    """Return the document if this caller may read it: it may have been found for another request's caller."""
    document = found.get(lookup.ref)
    return document if document is not None and secret_queries.allows(lookup.access, document) else None
