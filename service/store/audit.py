"""Where audit records are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Protocol

from pymongo import ASCENDING, DESCENDING, MongoClient
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from ..models import AuditRecord, Status
from .database import DUPLICATE_KEY, Document, deadline_in, map_errors

COLLECTION = "audit_logs"
_AT_ONCE = 1000
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_WORDS = {each.name for each in fields(AuditRecord)} - {"timestamp", "status"}
# Ids of chained records are strings, and these sort by chain and place; those of before are of another type.
_CHAINED: Document = {"_id": {"$gte": ""}}
_UNCHAINED: Document = {"_id": {"$not": {"$type": "string"}}}


class Placed(Protocol):
    """A record in its place in a chain."""

    @property
    def record_id(self) -> str:
        """Its id, which no other record has."""

    @property
    def record(self) -> AuditRecord:
        """What it says."""

    @property
    def previous(self) -> bytes:
        """The authentication of the record before."""

    @property
    def mac(self) -> bytes:
        """Its own."""


class Begun(Protocol):
    """A chain up to some record, of which ``seq`` is the number."""

    @property
    def writer(self) -> str:
        """Whose chain it is."""

    @property
    def seq(self) -> int:
        """The number, -1 before the first."""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which records: those with all these values, from ``since`` to before ``until``."""

    equal: Mapping[str, str] = field(default_factory=dict)
    since: datetime | None = None
    until: datetime | None = None

    def filter(self) -> Document:
        """Return it as MongoDB takes it."""
        ends = {"$gte": self.since, "$lt": self.until}
        within = {name: value for name, value in ends.items() if value is not None}
        return {**self.equal, **({"timestamp": within} if within else {})}


class AuditStore:
    """The collection ``audit_logs``."""

    def __init__(self, client: MongoClient[Document], database: Database[Document]) -> None:
        self._client = client
        self._database = database
        self._collection = database[COLLECTION]

    def append(self, links: Sequence[Placed], seconds: float) -> bool:
        """Make records durable within ``seconds``: a majority has them on its disks when this returns.

        They are written in their order.  False where a place was taken: those behind it are not written.

        Raises:
            StoreUnavailable: the first few of them may be there.
        """
        documents = [
            {"_id": link.record_id, **link.record.fields(), "previous": link.previous, "mac": link.mac}
            for link in links
        ]
        with map_errors(), deadline_in(max(seconds, 0.001)):
            try:
                self._collection.insert_many(documents)
            except BulkWriteError as error:
                if error.details["writeConcernErrors"] or any(
                    failed["code"] != DUPLICATE_KEY for failed in error.details["writeErrors"]
                ):
                    raise
                return False
        return True

    def records_after(self, head: Begun, seconds: float) -> list[Document]:
        """Return what is stored of a chain behind its ``head``, in order.

        Raises:
            StoreUnavailable: the database did not answer in time.
        """
        within = {
            "$gt": f"{head.writer}:{head.seq:012}" if head.seq >= 0 else head.writer,
            "$lt": f"{head.writer};",
        }
        with map_errors(), deadline_in(max(seconds, 0.001)):
            return list(self._collection.find({"_id": within}).sort("_id", ASCENDING))

    def last(self, writer: str) -> Document | None:
        """Return the last record of a chain as it is stored, or None where it has none.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        with map_errors():
            return self._collection.find_one(
                {"_id": {"$gt": writer, "$lt": f"{writer};"}}, sort=[("_id", DESCENDING)]
            )

    def next_id(self, after: str) -> str | None:
        """Return the first id of a chained record that sorts behind, or None where there is none.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        with map_errors():
            found = self._collection.find_one(
                {"_id": {"$gt": after}}, {"_id": True}, sort=[("_id", ASCENDING)]
            )
            return None if found is None else str(found["_id"])

    def chained(self) -> Iterator[Document]:
        """Yield all records that are in chains, chain by chain and in their order, as they are stored.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        with map_errors():
            yield from self._collection.find(_CHAINED).sort("_id", ASCENDING).batch_size(_AT_ONCE)

    def unchained(self) -> Iterator[tuple[Any, Any]]:
        """Yield id and time of every record that is in no chain.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        with map_errors():
            for document in self._collection.find(_UNCHAINED, {"timestamp": True}).batch_size(_AT_ONCE):
                yield document["_id"], document.get("timestamp")

    def any_chained(self) -> bool:
        """Return whether there are records in chains.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        return self._any(_CHAINED)

    def any_unchained(self) -> bool:
        """Return whether there are records from before there were chains.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        return self._any(_UNCHAINED)

    def size(self) -> tuple[int, int]:
        """Return how many records there are, and how many bytes they and their indexes take on disk.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        with map_errors():
            found = self._database.command("collStats", COLLECTION)
            return int(found["count"]), int(found["storageSize"]) + int(found["totalIndexSize"])

    def newest(self, count: int, secret_id: str | None = None) -> list[AuditRecord]:
        """Return up to ``count`` records, the newest first; those of one secret if one is named.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        wanted = {} if secret_id is None else {"secret_id": secret_id}
        with map_errors():
            # A limit of 0 would mean all of them.
            found = self._collection.find(wanted).sort("timestamp", DESCENDING).limit(max(count, 1))
            return [read(document) for document in found]

    def page(self, wanted: AuditFilter, count: int) -> list[Document]:
        """Return the newest ``count`` records as they are stored, the newest first.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        with map_errors():
            return list(self._collection.find(wanted.filter()).sort("timestamp", DESCENDING).limit(count))

    def written(self, wanted: AuditFilter) -> Iterator[Document]:
        """Yield all records as they are stored, the oldest first.

        Raises:
            StoreUnavailable: the database did not answer.
        """
        with map_errors():
            found = self._collection.find(wanted.filter()).sort("timestamp", ASCENDING)
            yield from found.batch_size(_AT_ONCE)

    def check_writable(self) -> None:
        """Write a record and take it back before anyone sees it.

        Raises:
            StoreUnavailable: a record could not be written now.
        """
        with map_errors(), self._client.start_session() as session:
            session.start_transaction()
            self._collection.insert_one({"operation": "readiness"}, session=session)
            session.abort_transaction()

    def _any(self, wanted: Document) -> bool:
        with map_errors():
            return self._collection.find_one(wanted, {"_id": True}) is not None


def read(document: Document) -> AuditRecord:
    """Return the record that was written as this document.

    One that somebody altered can be read all the same: what it lacks is None, what is no text is shown as
    text, and a time that is none is the beginning of 1970.
    """
    at, status = document.get("timestamp"), document.get("status")
    # Any: an altered one may lack what every record has.
    words: dict[str, Any] = {name: _text(document.get(name)) for name in _WORDS}
    return AuditRecord(
        timestamp=at if isinstance(at, datetime) else _NO_TIME,
        status=Status.SUCCESS if status == Status.SUCCESS else Status.FAILURE,
        **words,
    )


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)
