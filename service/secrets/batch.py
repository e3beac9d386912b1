"""Batches in which either every item is done or none is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ..audit.recorder import Entry
from ..errors import BatchFailed, VaultError


@contextmanager
def all_or_nothing(items: Sequence[Entry], item: Entry) -> Iterator[None]:
    """Turn the failure of ``item`` into that of the whole batch; its own audit record keeps the reason.

    Raises:
        BatchFailed: the item failed.
    """
    try:
        yield
    except VaultError as error:
        item.reason = error.reason
        index = next(index for index, entry in enumerate(items) if entry is item)
        raise BatchFailed(index, error) from None
