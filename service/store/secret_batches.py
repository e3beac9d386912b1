"""Inserts and reads of secrets that concurrent requests of a process share round trips for.

Nothing is kept from one batch for the next: every read begins after it was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from ..errors import StoreUnavailable
from ..group_commit import GroupCommit
from ..models import AccessFilter
from . import secret_queries, write_errors
from .database import Document, map_errors, seconds_left
from .secret_queries import SecretRef

# More than a process has threads; it bounds what one command has to carry.
_MAX_BATCH = 256


class BatchedInserts:
    """Inserts new documents, each of which has to be there or not be there for its own caller."""

    def __init__(self, collection: Collection[Document], operation_timeout: float) -> None:
        self._collection = collection
        self._operation_timeout = operation_timeout
        self._group = GroupCommit[Document, None](self._insert, _MAX_BATCH)

    def insert(self, document: Document) -> None:
        """Keep a new document.

        Raises:
            PathTaken: another one has its path.
            StoreUnavailable: it may or may not have been kept.
        """
        self._group.submit(document, seconds_left(self._operation_timeout))

    def _insert(self, documents: list[Document]) -> Sequence[Exception | None]:
        outcomes: list[Exception | None] = [None] * len(documents)
        with map_errors():
            try:
                self._collection.insert_many(documents, ordered=False)
            except BulkWriteError as error:
                if error.details["writeConcernErrors"]:
                    # Those that were refused were so for good; of the others nobody knows.
                    outcomes = [StoreUnavailable("no majority has confirmed it")] * len(documents)
                for refused in error.details["writeErrors"]:
                    outcomes[refused["index"]] = write_errors.to_domain_error(refused)
        return outcomes


@dataclass(frozen=True, slots=True)
class _Lookup:
    ref: SecretRef
    access: AccessFilter


class BatchedReads:
    """Finds secrets by one name each, with the value of their current version alone."""

    def __init__(self, collection: Collection[Document], operation_timeout: float) -> None:
        self._collection = collection
        self._operation_timeout = operation_timeout
        self._group = GroupCommit[_Lookup, Document | None](self._find, _MAX_BATCH)

    def find(self, ref: SecretRef, access: AccessFilter) -> Document | None:
        """Return the document, or None where there is none that ``reach`` covers.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        return self._group.submit(_Lookup(ref, access), seconds_left(self._operation_timeout))

    def _find(self, lookups: list[_Lookup]) -> Sequence[Document | None]:
        refs: dict[AccessFilter, list[SecretRef]] = {}
        for lookup in lookups:
            refs.setdefault(lookup.access, []).append(lookup.ref)
        with map_errors():
            found = secret_queries.by_ref(
                self._collection.aggregate(
                    [
                        {"$match": secret_queries.named_and_accessible(refs)},
                        {"$set": {"versions": secret_queries.with_value_of(None)}},
                    ]
                ),
                [lookup.ref for lookup in lookups],
            )
        return [_allowed(found, lookup) for lookup in lookups]


def _allowed(found: Mapping[SecretRef, Document], lookup: _Lookup) -> Document | None:
    """Return the document for this one: it may be there because another request's caller may read it."""
    document = found.get(lookup.ref)
    return document if document is not None and secret_queries.allows(lookup.access, document) else None
