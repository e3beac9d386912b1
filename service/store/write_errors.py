"""Maps MongoDB's write errors for secrets to domain errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import DocumentTooLarge, DuplicateKeyError, WriteError

from ..errors import PathTaken, StoreUnavailable, TooLarge
from .database import DUPLICATE_KEY, Document

# Server error codes (MongoDB's error_codes.yml) of a document that an update would make larger than 16 MiB.
_TOO_LARGE = {10334, 17419}


def to_domain_error(write_error: Document) -> PathTaken | StoreUnavailable:
    """Return the domain error for one of the ``writeErrors`` of a bulk insert."""
    if write_error["code"] == DUPLICATE_KEY:
        # It can only be the unique index on the path: two random ids are never the same.
        return PathTaken()
    return StoreUnavailable(f"the database cannot be used now: WriteError (code {write_error['code']})")


@contextmanager
def map_write_errors() -> Iterator[None]:
    """Turn a rejected document into a domain error.

    Raises:
        PathTaken: another secret has the path; a unique index enforces it.
        TooLarge: the document is larger than 16 MiB.
    """
    try:
        yield
    except DuplicateKeyError:
        raise PathTaken from None
    except (DocumentTooLarge, WriteError) as error:
        if isinstance(error, WriteError) and error.code not in _TOO_LARGE:
            raise
        raise TooLarge(
            "all versions of a secret together are limited to 16 MiB: destroy some, or lower max_versions"
        ) from None
