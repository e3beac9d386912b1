"""Inserts and reads of secrets that concurrent requests of a process share round trips for.

Nothing is kept from one batch for the next: every read begins after it was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from ..errors import StoreUnavailable
from ..group_commit import Gatherer
from ..models import Reach
from . import secret_queries, write_errors
from .database import Document, seconds_left, translated
from .secret_queries import Name

# More than a process has threads; it bounds what one command has to carry.
_MOST = 256


class SharedInserts:
    """Inserts new documents, each of which has to be there or not be there for its own caller."""

    def __init__(self, collection: Collection[Document], time_limit: float) -> None:
        self._collection = collection
        self._time_limit = time_limit
        self._gatherer = Gatherer[Document, None](self._insert, _MOST)

    def insert(self, document: Document) -> None:
        """Keep a new document.

        Raises:
            PathTaken: another one has its path.
            StoreUnavailable: it may or may not have been kept.
        """
        self._gatherer.do(document, seconds_left(self._time_limit))

    def _insert(self, documents: list[Document]) -> Sequence[Exception | None]:
        outcomes: list[Exception | None] = [None] * len(documents)
        with translated():
            try:
                self._collection.insert_many(documents, ordered=False)
            except BulkWriteError as error:
                if error.details["writeConcernErrors"]:
                    # Those that were refused were so for good; of the others nobody knows.
                    outcomes = [StoreUnavailable("no majority has confirmed it")] * len(documents)
                for refused in error.details["writeErrors"]:
                    outcomes[refused["index"]] = write_errors.meaning(refused)
        return outcomes


@dataclass(frozen=True, slots=True)
class _Wanted:
    name: Name
    reach: Reach


class SharedFinds:
    """Finds secrets by one name each, with the value of their current version alone."""

    def __init__(self, collection: Collection[Document], time_limit: float) -> None:
        self._collection = collection
        self._time_limit = time_limit
        self._gatherer = Gatherer[_Wanted, Document | None](self._find, _MOST)

    def find(self, name: Name, reach: Reach) -> Document | None:
        """Return the document, or None where there is none that ``reach`` covers.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        return self._gatherer.do(_Wanted(name, reach), seconds_left(self._time_limit))

    def _find(self, wanted: list[_Wanted]) -> Sequence[Document | None]:
        names: dict[Reach, list[Name]] = {}
        for one in wanted:
            names.setdefault(one.reach, []).append(one.name)
        with translated():
            found = secret_queries.by_name(
                self._collection.aggregate(
                    [
                        {"$match": secret_queries.named_within(names)},
                        {"$set": {"versions": secret_queries.with_value_of(None)}},
                    ]
                )
            )
        return [_covered(found, one) for one in wanted]


def _covered(found: Mapping[Name, Document], wanted: _Wanted) -> Document | None:
    """Return the document for this one: it may be there because another request's caller reaches it."""
    document = found.get(wanted.name)
    return document if document is not None and secret_queries.covers(wanted.reach, document) else None
