"""Reads the usage of the database's disk."""

from __future__ import annotations

from dataclasses import dataclass

from pymongo.database import Database
from pymongo.errors import OperationFailure

from .database import UNAUTHORIZED, Document, map_errors


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """The file system that holds the primary's data, in bytes."""

    used: int
    size: int


def disk_usage(database: Database[Document]) -> DiskUsage | None:
    """Return the usage of the primary's disk, or None if it is not available.

    It is not available if the user lacks the privilege ``dbStats`` or if MongoDB does not report it.  After
    an upgrade from a version without this privilege, the user lacks it until ``mongo setup`` has run again.

    Raises:
        StoreUnavailable: the database did not answer in time.
    """
    with map_errors():
        try:
            stats = database.command("dbStats")
        except OperationFailure as error:
            if error.code == UNAUTHORIZED:
                return None
            raise
    used, size = stats.get("fsUsedSize"), stats.get("fsTotalSize")
    return DiskUsage(int(used), int(size)) if used and size else None
