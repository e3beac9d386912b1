"""What commands about tokens, grants and roles have in common."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol, TypeVar

from ..errors import InvalidFields


class Page(Protocol):
    """A page of records; more may follow ``last``, unless it is None."""

    @property
    def last(self) -> str | None:
        """The id of the last record."""


AnyPage = TypeVar("AnyPage", bound=Page)


def all_pages(read: Callable[[str], AnyPage]) -> list[AnyPage]:
    """Return all pages; ``read`` returns the one that follows an id, and the first one for an empty text."""
    pages = [read("")]
    while (last := pages[-1].last) is not None:
        pages.append(read(last))
    return pages


def print_record(fields: Mapping[str, Any]) -> None:
    """Print a record as a line of JSON."""
    shown = {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in fields.items()
    }
    print(json.dumps(shown), flush=True)


def in_a_line(error: InvalidFields) -> str:
    """Return all that is wrong with some fields."""
    return "; ".join(message for messages in error.errors.values() for message in messages)
