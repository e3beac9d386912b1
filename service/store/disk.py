"""How full the disk of the database is."""

from __future__ import annotations

from dataclasses import dataclass

from pymongo.database import Database
from pymongo.errors import OperationFailure

from .database import UNAUTHORIZED, Document, map_errors


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """The file system of the primary's data, in bytes."""

    used: int
    size: int


def disk_usage(database: Database[Document]) -> DiskUsage | None:
    """Return how full the primary's disk is; None if the user may not ask, or MongoDB does not know.

    The role of an older version of this program lacks ``dbStats``, until ``mongo setup`` has run again.

    Raises:
        StoreUnavailable: the database did not answer.
    """
    with map_errors():
        try:
            found = database.command("dbStats")
        except OperationFailure as error:
            if error.code == UNAUTHORIZED:
                return None
            raise
    used, size = found.get("fsUsedSize"), found.get("fsTotalSize")
    return DiskUsage(int(used), int(size)) if used and size else None
