"""What the database is asked for secrets: filters, and what it leaves out of its answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..models import Reach, Span
from .database import Document


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
    by_field = {
        "_id": [name.text for name in names if not name.is_path],
        "path": [name.text for name in names if name.is_path],
    }
    # One alone where one will do: an alternative makes the database try several plans.
    conditions: list[Document] = [{field: {"$in": texts}} for field, texts in by_field.items() if texts]
    return conditions[0] if len(conditions) == 1 else {"$or": conditions or [{"_id": {"$in": []}}]}


def named_within(names: Mapping[Reach, Sequence[Name]]) -> Document:
    """Return the filter for the secrets of these names, each where the reach that names it covers it."""
    each = [{"$and": [named(those), reached(reach)]} for reach, those in names.items()]
    return each[0] if len(each) == 1 else {"$or": each}


def reached(reach: Reach) -> Document:
    """Return the filter for what ``reach`` covers, those included that were destroyed there."""
    if reach.everything:
        return {}
    below = [re.compile("^" + re.escape(folder)) for folder in reach.folders]
    covered = {"$in": [*reach.paths, *below]}
    return {"$or": [{"path": covered}, {"former_path": covered}, {"owner": reach.owner}]}


def covers(reach: Reach, document: Document) -> bool:
    """Return whether the document fulfils the filter ``reached(reach)``."""
    if reach.everything:
        return True
    paths = [path for field in ("path", "former_path") for path in _elements(document, field)]
    return reach.owner in _elements(document, "owner") or any(
        path in reach.paths or path.startswith(reach.folders) for path in paths
    )


def _elements(document: Document, field: str) -> list[str]:
    """Return the strings that a condition on the field looks at: all of a list, where there is one."""
    value = document.get(field)
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


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
