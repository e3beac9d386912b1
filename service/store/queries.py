"""What the database is asked for secrets: filters, and what it leaves out of its answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..models import Reach, Span
from .client import Document


@dataclass(frozen=True, slots=True)
class Name:
    """What a caller calls a secret: its id or its path."""

    text: str
    is_path: bool = False


def by_name(found: Iterable[Document]) -> dict[Name, Document]:
    """Return the documents under each of the names that a caller could give."""
    named = {}
    for document in found:
        if isinstance(secret_id := document["_id"], str):
            named[Name(secret_id)] = document
        if isinstance(path := document.get("path"), str):
            named[Name(path, is_path=True)] = document
    return named


def named(names: Sequence[Name]) -> Document:
    """Return the filter for the secrets of these names."""
    return {
        "$or": [
            {"_id": {"$in": [name.text for name in names if not name.is_path]}},
            {"path": {"$in": [name.text for name in names if name.is_path]}},
        ]
    }


def reached(reach: Reach) -> Document:
    """Return the filter for what ``reach`` covers, those included that were destroyed there."""
    if reach.everything:
        return {}
    below = [re.compile("^" + re.escape(folder)) for folder in reach.folders]
    covered = {"$in": [*reach.paths, *below]}
    return {"$or": [{"path": covered}, {"former_path": covered}, {"owner": reach.owner}]}


def within(span: Span) -> Document:
    """Return the condition for bytes in this span."""
    return {"$gte": span.lowest, "$lte": span.highest}


def outside(span: Span) -> tuple[Document, Document]:
    """Return the conditions of which bytes that are not in this span fulfil one.

    Two, because an index answers each of them at once, and the negation of ``within`` by reading everything.
    """
    return {"$lt": span.lowest}, {"$gt": span.highest}


def with_value_of(number: int | None) -> Document:
    """Return an expression for the versions, only one of them with its payload.

    What has not the shape that was written is left as it is, for whoever reads it to notice.
    """
    wanted = {"$eq": ["$$each.version", "$current" if number is None else number]}
    shapeless = {"$ne": [{"$type": "$$each"}, "object"]}
    bare = {"$unsetField": {"field": "payload", "input": "$$each"}}
    each = {"$cond": [{"$or": [wanted, shapeless]}, "$$each", bare]}
    return {
        "$cond": [
            {"$isArray": "$versions"},
            {"$map": {"input": "$versions", "as": "each", "in": each}},
            "$versions",
        ]
    }
