"""Stores audit records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Protocol

from pymongo import ASCENDING, DESCENDING, MongoClient
from pymongo.database import Database
from pymongo.errors import BulkWriteError, DuplicateKeyError

from ..access import paths
from ..models import AccessFilter, AuditRecord, Status
from .database import DUPLICATE_KEY, Document, deadline_in, map_errors

COLLECTION = "audit_logs"
_BATCH_SIZE = 1000
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER_FIELDS = ("count", "version")
_TEXT_FIELDS = {each.name for each in fields(AuditRecord)} - {"timestamp", "status", *_NUMBER_FIELDS}
# What an index of its own has.
DELIVERED: Document = {"operation": "deliver", "status": Status.SUCCESS}
_EVERYTHING = AccessFilter(everything=True)
# Ids of chained records are strings that sort by chain and number; earlier records have ids of another type.
_CHAINED: Document = {"_id": {"$gte": ""}}
_UNCHAINED: Document = {"_id": {"$not": {"$type": "string"}}}


class ChainedRecord(Protocol):
    """A record in a chain (``audit.chain.Link``)."""

    @property
    def record_id(self) -> str:
        """Its unique id."""

    @property
    def record(self) -> AuditRecord:
        """Its content."""

    @property
    def previous(self) -> bytes:
        """The MAC of the previous record."""

    @property
    def mac(self) -> bytes:
        """Its own MAC."""


class ChainPosition(Protocol):
    """A position in a chain (``audit.chain.Head``)."""

    @property
    def writer(self) -> str:
        """The writer of the chain."""

    @property
    def seq(self) -> int:
        """The number of the record, -1 before the first."""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Selects records with all these values, from ``since`` to just before ``until``.

    With ``access``, only those about a path that it allows; one that names two may name another as well.
    """

    equal: Mapping[str, str] = field(default_factory=dict)
    since: datetime | None = None
    until: datetime | None = None
    access: AccessFilter = _EVERYTHING

    def filter(self) -> Document:
        """Return the filter for MongoDB."""
        ends = {"$gte": self.since, "$lt": self.until}
        within = {name: value for name, value in ends.items() if value is not None}
        found: Document = dict(self.equal)
        if (path := found.pop("path", None)) is not None:
            found["$or"] = _naming([path])
        if not self.access.everything:
            below = [{"$gte": folder, "$lt": paths.end_of(folder)} for folder in self.access.folders]
            found["$and"] = [{"$or": _naming([{"$in": [*self.access.paths]}, *below])}]
        if within:
            # MongoDB would also find arrays that have such a time.
            found["timestamp"] = {**within, "$not": {"$type": "array"}}
        return found


class AuditStore:
    """The collection ``audit_logs``.

    Every method raises StoreUnavailable if the database does not answer in time.
    """

    def __init__(self, client: MongoClient[Document], database: Database[Document]) -> None:
        self._client = client
        self._database = database
        self._collection = database[COLLECTION]

    def append(self, links: Sequence[ChainedRecord], seconds: float) -> bool:
        """Make records durable within ``seconds``: a majority has them on disk when this returns.

        They are written in order.  Returns False if an id is taken: that record and those after it are not
        written.

        Raises:
            StoreUnavailable: the first few of them may have been written.
        """
        documents = [
            {"_id": link.record_id, **link.record.fields(), "previous": link.previous, "mac": link.mac}
            for link in links
        ]
        with map_errors(), deadline_in(max(seconds, 0.001)):
            try:
                if len(documents) == 1:
                    # The driver's way for one document takes a fifth less than its way for many.
                    self._collection.insert_one(documents[0])
                else:
                    self._collection.insert_many(documents)
            except DuplicateKeyError:
                return False
            except BulkWriteError as error:
                if error.details["writeConcernErrors"] or any(
                    failed["code"] != DUPLICATE_KEY for failed in error.details["writeErrors"]
                ):
                    raise
                return False
        return True

    def records_after(self, head: ChainPosition, seconds: float) -> list[Document]:
        """Return the stored records of a chain after ``head``, in order; takes up to ``seconds``."""
        within = {
            "$gt": f"{head.writer}:{head.seq:012}" if head.seq >= 0 else head.writer,
            "$lt": f"{head.writer};",
        }
        with map_errors(), deadline_in(max(seconds, 0.001)):
            return list(self._collection.find({"_id": within}).sort("_id", ASCENDING))

    def last(self, writer: str) -> Document | None:
        """Return the last record of a chain as stored, or None if it has none."""
        with map_errors():
            return self._collection.find_one(
                {"_id": {"$gt": writer, "$lt": f"{writer};"}}, sort=[("_id", DESCENDING)]
            )

    def next_id(self, after: str) -> str | None:
        """Return the first id of a chained record that sorts after ``after``, or None if there is none."""
        with map_errors():
            found = self._collection.find_one(
                {"_id": {"$gt": after}}, {"_id": True}, sort=[("_id", ASCENDING)]
            )
            return None if found is None else str(found["_id"])

    def chained(self) -> Iterator[Document]:
        """Yield all records in chains as stored, chain by chain and in order."""
        with map_errors():
            yield from self._collection.find(_CHAINED).sort("_id", ASCENDING).batch_size(_BATCH_SIZE)

    def unchained(self) -> Iterator[tuple[Any, Any]]:
        """Yield id and time of every record that is in no chain."""
        with map_errors():
            for document in self._collection.find(_UNCHAINED, {"timestamp": True}).batch_size(_BATCH_SIZE):
                yield document["_id"], document.get("timestamp")

    def any_chained(self) -> bool:
        """Return whether there are records in chains."""
        return self._any(_CHAINED)

    def any_unchained(self) -> bool:
        """Return whether there are records that are in no chain."""
        return self._any(_UNCHAINED)

    def size(self) -> tuple[int, int]:
        """Return the number of records, and the bytes that they and their indexes use on disk."""
        with map_errors():
            found = self._database.command("collStats", COLLECTION)
            return int(found["count"]), int(found["storageSize"]) + int(found["totalIndexSize"])

    def newest(self, count: int, secret_id: str | None = None) -> list[AuditRecord]:
        """Return up to ``count`` records, newest first; with ``secret_id``, only those of that secret."""
        query = {} if secret_id is None else {"secret_id": secret_id}
        with map_errors():
            # A limit of 0 would mean all of them.
            found = self._collection.find(query).sort("timestamp", DESCENDING).limit(max(count, 1))
            return [read(document) for document in found]

    def last_deliveries(self, secret_id: str, versions: Iterable[int], count: int) -> list[Document]:
        """Return of each of these versions the last delivery to each service, as stored; up to ``count``.

        Each takes one look at the index, however many deliveries there were.
        """
        found: list[Document] = []
        newest_first = [("service", ASCENDING), ("timestamp", DESCENDING)]
        with map_errors():
            for version in versions:
                after = ""
                while len(found) < count:
                    # MongoDB would also find arrays that have such a name.
                    service = {"$gt": after, "$not": {"$type": "array"}}
                    document = self._collection.find_one(
                        {**DELIVERED, "secret_id": secret_id, "version": version, "service": service},
                        sort=newest_first,
                    )
                    if document is None:
                        break
                    found.append(document)
                    after = document["service"]
        return found

    def page(self, filter_: AuditFilter, count: int) -> list[Document]:
        """Return the newest ``count`` records as stored, newest first."""
        with map_errors():
            return list(self._collection.find(filter_.filter()).sort("timestamp", DESCENDING).limit(count))

    def written(self, filter_: AuditFilter) -> Iterator[Document]:
        """Yield all records as stored, oldest first."""
        with map_errors():
            found = self._collection.find(filter_.filter()).sort("timestamp", ASCENDING)
            yield from found.batch_size(_BATCH_SIZE)

    def check_writable(self) -> None:
        """Write a record in a transaction and abort it, so that it is never visible.

        Raises:
            StoreUnavailable: records cannot be written now.
        """
        with map_errors(), self._client.start_session() as session:
            session.start_transaction()
            self._collection.insert_one({"operation": "readiness"}, session=session)
            session.abort_transaction()

    def _any(self, query: Document) -> bool:
        with map_errors():
            return self._collection.find_one(query, {"_id": True}) is not None


def _naming(conditions: Iterable[Any]) -> list[Document]:
    """Return the alternatives of a filter on paths: a move is found from either end."""
    return [{field: condition} for condition in conditions for field in ("path", "new_path")]


def read(document: Document) -> AuditRecord:
    """Return the record that is stored as this document.

    An altered record can be read as well: a missing field is None, any other type is converted to text, an
    invalid time is the beginning of 1970, and an invalid number is none.
    """
    at, status = document.get("timestamp"), document.get("status")
    # Any: an altered record may lack a required field.
    texts: dict[str, Any] = {name: _text(document.get(name)) for name in _TEXT_FIELDS}
    numbers: dict[str, Any] = {name: _number(document.get(name)) for name in _NUMBER_FIELDS}
    return AuditRecord(
        timestamp=at if isinstance(at, datetime) else _NO_TIME,
        status=Status.SUCCESS if status == Status.SUCCESS else Status.FAILURE,
        **numbers,
        **texts,
    )


def _number(value: object) -> int | None:
    return value if type(value) is int else None


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)
