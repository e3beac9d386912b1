"""Lists secrets in pages, in index order, so a page costs the same however many secrets there are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo import ASCENDING
from pymongo.database import Database

from ..errors import Tampered
from ..records import Secret
from . import secret_documents
from .database import Document, map_errors
from .secrets import COLLECTION

# A half-open range: from the first string to just before the second.  MongoDB compares strings byte by byte.
Range = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ListFilter:
    """Selects secrets in use, or deleted ones, that have all these labels and have not ended by ``at``.

    Each of ``words`` is in the path or in a label, in upper or lower case.  With ``ends_before``, they end by
    then.
    """

    deleted: bool
    labels: Mapping[str, str]
    at: datetime
    words: Sequence[str] = ()
    ends_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class AlteredSecret:
    """A secret whose document neither this service nor its predecessor wrote."""

    secret_id: str
    path: str | None


@dataclass(frozen=True, slots=True)
class SecretPage:
    """Secrets in order; there may be more after ``last``, a path or an id, unless it is None."""

    secrets: list[Secret | AlteredSecret]
    last: str | None


class ListingStore:
    """The collection ``secrets``, page by page, without destroyed secrets.

    Every method raises StoreUnavailable if the database does not answer in time.
    """

    def __init__(self, database: Database[Document]) -> None:
        self._collection = database[COLLECTION]

    def by_path(self, filter_: ListFilter, ranges: Sequence[Range], count: int) -> SecretPage:
        """Return up to ``count`` secrets with paths in these ranges, ordered by path."""
        if not ranges:
            return SecretPage([], None)
        within = [{"path": _strings(first, end)} for first, end in ranges]
        return self._page({**_query(filter_), "$or": within}, "path", count)

    def by_id(self, filter_: ListFilter, owner: str | None, start: str, count: int) -> SecretPage:
        """Return up to ``count`` secrets without a path, ordered by id: one owner's, or all."""
        unnamed = {"path": None} if owner is None else {"owner": owner}
        return self._page({**_query(filter_), **unnamed, "_id": {"$gte": start}}, "_id", count)

    def paths(self, within: Range, count: int) -> list[str]:
        """Return up to ``count`` paths in this range, in order, whatever the state of their secrets."""
        with map_errors():
            found = self._collection.find({"path": _strings(*within)}, {"path": True, "_id": False})
            return [document["path"] for document in found.sort("path", ASCENDING).limit(count)]

    def count_unnamed(self) -> int:
        """Return how many secrets in use have no path."""
        with map_errors():
            return self._collection.count_documents({"shelf": None, "path": None})

    def _page(self, query: Document, order: str, count: int) -> SecretPage:
        with map_errors():
            found = list(
                self._collection.find(query, secret_documents.WITHOUT_PAYLOADS)
                .sort(order, ASCENDING)
                .limit(count)
            )
        return SecretPage([_read(each) for each in found], found[-1][order] if len(found) == count else None)


def _strings(first: str, end: str) -> Document:
    """Return the condition for paths in this range.

    Nothing else is found, because the next page begins after the last path: no array that has one, no text
    that is not UTF-8 and so cannot be sent back.  What ends with a slash is a folder's own record.
    """
    return {"$gte": first, "$lt": end, "$regex": "^[!-~]*[!-.0-~]$", "$not": {"$type": "array"}}


def _query(filter_: ListFilter) -> Document:
    query: Document = {
        "shelf": "deleted" if filter_.deleted else None,
        # Leaves out what MongoDB is about to remove; there are never many.
        "ends_at": {"$not": {"$lte": filter_.at}},
    }
    if filter_.labels:
        query["labels"] = {"$all": [secret_documents.label(*pair) for pair in filter_.labels.items()]}
    if filter_.ends_before is not None:
        query["ends_at"]["$lte"] = filter_.ends_before
    if filter_.words:
        # The range of paths is in an $or already.
        query["$and"] = [{"$or": _contain(word)} for word in filter_.words]
    return query


def _contain(word: str) -> list[Document]:
    """Return the conditions for documents with this word: no index helps, so each document is looked at."""
    pattern = {"$regex": re.escape(word), "$options": "i"}
    return [{"path": pattern}, {"labels.k": pattern}, {"labels.v": pattern}]


def _read(document: Document) -> Secret | AlteredSecret:
    try:
        return secret_documents.read(document)
    except Tampered:
        path = document.get("path")
        return AlteredSecret(str(document["_id"]), path if isinstance(path, str) else None)
