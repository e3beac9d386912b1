"""Several things in one call, of which all are done or none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ..audit.recorder import Entry
from ..errors import BatchFailed, VaultError


@contextmanager
def part_of(parts: Sequence[Entry], part: Entry) -> Iterator[None]:
    """Let what goes wrong with one part end all of them; its own audit record says what it was.

    Raises:
        BatchFailed: something went wrong.
    """
    try:
        yield
    except VaultError as error:
        part.reason = error.reason
        index = next(index for index, one in enumerate(parts) if one is part)
        raise BatchFailed(index, error) from None
