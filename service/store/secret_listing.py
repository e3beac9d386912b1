"""Pages of secrets, in the order of an index: a page costs the same however many secrets there are."""

from __future__ import annotations

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

# From the first to before the second.  MongoDB compares strings byte by byte.
Range = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ListFilter:
    """Which secrets: those in use or those that were deleted, with all these labels, not over by ``at``."""

    deleted: bool
    labels: Mapping[str, str]
    at: datetime


@dataclass(frozen=True, slots=True)
class SecretPage:
    """Secrets in their order; ``last`` is the path or the id behind which there may be more."""

    secrets: list[Secret]
    last: str | None


class ListingStore:
    """The collection ``secrets``, to leaf through; what was destroyed is in no list."""

    def __init__(self, database: Database[Document]) -> None:
        self._collection = database[COLLECTION]

    def by_path(self, wanted: ListFilter, ranges: Sequence[Range], count: int) -> SecretPage:
        """Return up to ``count`` secrets with paths in these ranges, in the order of their paths.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        if not ranges:
            return SecretPage([], None)
        within = [{"path": {"$gte": first, "$lt": end}} for first, end in ranges]
        return self._page({**_filter(wanted), "$or": within}, "path", count)

    def by_id(self, wanted: ListFilter, owner: str | None, start: str, count: int) -> SecretPage:
        """Return up to ``count`` secrets with no path, in the order of their ids: one owner's, or all.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        whose = {"path": None} if owner is None else {"owner": owner}
        return self._page({**_filter(wanted), **whose, "_id": {"$gte": start}}, "_id", count)

    def paths(self, within: Range, count: int) -> list[str]:
        """Return up to ``count`` paths in this range, in their order, whatever became of their secrets.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        first, end = within
        with map_errors():
            found = self._collection.find({"path": {"$gte": first, "$lt": end}}, {"path": True, "_id": False})
            return [document["path"] for document in found.sort("path", ASCENDING).limit(count)]

    def count_unnamed(self) -> int:
        """Return how many secrets in use have no path.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        with map_errors():
            return self._collection.count_documents({"shelf": None, "path": None})

    def _page(self, query: Document, order: str, count: int) -> SecretPage:
        with map_errors():
            found = list(
                self._collection.find(query, secret_documents.LISTED).sort(order, ASCENDING).limit(count)
            )
        # An altered record is told of by whoever names it; here it must not hide the others.
        secrets = [secret for document in found if (secret := _read(document)) is not None]
        return SecretPage(secrets, found[-1][order] if len(found) == count else None)


def _filter(wanted: ListFilter) -> Document:
    query: Document = {
        "shelf": "deleted" if wanted.deleted else None,
        # What MongoDB is about to remove; it is never much.
        "ends_at": {"$not": {"$lte": wanted.at}},
    }
    if wanted.labels:
        query["labels"] = {"$all": [secret_documents.label(*pair) for pair in wanted.labels.items()]}
    return query


def _read(document: Document) -> Secret | None:
    try:
        return secret_documents.read_listed(document)
    except Tampered:
        return None
