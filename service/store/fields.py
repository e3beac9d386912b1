"""Reads the kinds of fields that documents of several collections have.

Every function raises TypeError or ValueError if the value is something else: anyone who can write to the
database can put anything there.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from ..access.scopes import ON_PATHS
from ..models import Action, Scope
from .database import expect_type


def texts(value: Any) -> tuple[str, ...]:
    """Return a list of texts."""
    return tuple(expect_type(text, str) for text in expect_type(value, list))


def scopes(value: Any) -> tuple[Scope, ...]:
    """Return a list of scopes."""
    return tuple(map(_scope, texts(value)))


def networks(value: Any) -> tuple[str, ...]:
    """Return a list of addresses and networks."""
    found = texts(value)
    for text in found:
        ip_network(text)
    return found


def limits(value: Any) -> tuple[tuple[str, int], ...]:
    """Return a list of ids, each with a number of calls per minute."""
    return tuple(
        (expect_type(each_id, str), expect_type(limit, int)) for each_id, limit in expect_type(value, list)
    )


def _scope(text: str) -> Scope:
    word, colon, pattern = text.partition(":")
    scope = Scope(Action(word), pattern if colon else None)
    # With a pattern where this version knows none, it may be a narrower scope of a later one.
    if bool(colon) != (scope.action in ON_PATHS):
        raise ValueError
    return scope
