"""Where audit records are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from bson import ObjectId
from pymongo import DESCENDING, MongoClient
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from ..models import AuditRecord, Status
from .client import Document, time_limit, translated

COLLECTION = "audit_logs"
_DUPLICATE_KEY = 11000


class AuditStore:
    """The collection ``audit_logs``."""

    def __init__(self, client: MongoClient[Document], database: Database[Document]) -> None:
        self._client = client
        self._collection = database[COLLECTION]

    @staticmethod
    def new_id() -> ObjectId:
        """Return an id for a record, so that writing it twice keeps it once."""
        return ObjectId()

    def write(self, records: Sequence[tuple[ObjectId, AuditRecord]], seconds: float) -> None:
        """Make records durable within ``seconds``: a majority has them on its disks when this returns.

        Records that an earlier, failed attempt has written already count as written.

        Raises:
            StoreUnavailable: some may not have been written.
        """
        documents = [{"_id": record_id, **asdict(record)} for record_id, record in records]
        with translated(), time_limit(max(seconds, 0.001)):
            try:
                self._collection.insert_many(documents, ordered=False)
            except BulkWriteError as error:
                if error.details["writeConcernErrors"] or any(
                    failed["code"] != _DUPLICATE_KEY for failed in error.details["writeErrors"]
                ):
                    raise

    def newest(self, count: int, secret_id: str | None = None) -> list[AuditRecord]:
        """Return up to ``count`` records, the newest first; those of one secret if one is named.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        wanted = {} if secret_id is None else {"secret_id": secret_id}
        with translated():
            # A limit of 0 would mean all of them.
            found = (
                self._collection.find(wanted, {"_id": False})
                .sort("timestamp", DESCENDING)
                .limit(max(count, 1))
            )
            return [AuditRecord(**(document | {"status": Status(document["status"])})) for document in found]

    def check_writable(self) -> None:
        """Write a record and take it back before anyone sees it.

        Raises:
            StoreUnavailable: a record could not be written now.
        """
        with translated(), self._client.start_session() as session:
            session.start_transaction()
            self._collection.insert_one({"operation": "readiness"}, session=session)
            session.abort_transaction()
