"""What it means that MongoDB refuses the document of a secret."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import DocumentTooLarge, DuplicateKeyError, WriteError

from ..errors import PathTaken, StoreUnavailable, TooLarge
from .database import DUPLICATE_KEY, Document

# Server error codes (MongoDB's error_codes.yml) of a document that an update would make larger than 16 MiB.
_TOO_LARGE = {10334, 17419}


def to_domain_error(refused: Document) -> PathTaken | StoreUnavailable:
    """Return what one of the ``writeErrors`` of several inserts means."""
    if refused["code"] == DUPLICATE_KEY:
        # An index allows the path only once.  Two secrets never get the same id by chance.
        return PathTaken()
    return StoreUnavailable(f"the database cannot be used now: WriteError (code {refused['code']})")


@contextmanager
def map_write_errors() -> Iterator[None]:
    """Raise what it means that MongoDB refuses a document.

    Raises:
        PathTaken: an index allows the path only once.
        TooLarge: it is longer than 16 MiB.
    """
    try:
        yield
    except DuplicateKeyError:
        raise PathTaken from None
    except (DocumentTooLarge, WriteError) as error:
        if isinstance(error, WriteError) and error.code not in _TOO_LARGE:
            raise
        raise TooLarge(
            "all versions of a secret together may have up to 16 MiB: destroy some, or lower max_versions"
        ) from None
