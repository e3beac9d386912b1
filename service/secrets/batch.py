"""Several things in one call, of which all are done or none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ..audit.recorder import Entry
from ..errors import BatchFailed, VaultError


@contextmanager
def all_or_nothing(items: Sequence[Entry], item: Entry) -> Iterator[None]:
    """Let the failure of one item end all of them; its own audit record says what it was.

    Raises:
        BatchFailed: the item failed.
    """
    try:
        yield
    except VaultError as error:
        item.reason = error.reason
        index = next(index for index, one in enumerate(items) if one is item)
        raise BatchFailed(index, error) from None
