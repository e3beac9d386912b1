"""What the database is asked for secrets: filters, and what it leaves out of its answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..access import paths
from ..models import AccessFilter, ByteRange
from .database import Document


@dataclass(frozen=True, slots=True)
class SecretRef:
    """What a caller calls a secret: its id or its path.

    Raises:
        InvalidFields: the path is malformed, so it could be anything and goes into no query and no record.
    """

    text: str
    is_path: bool = False

    def __post_init__(self) -> None:
        if self.is_path:
            paths.require_path(self.text)


def by_ref(found: Iterable[Document], refs: Iterable[SecretRef]) -> dict[SecretRef, Document]:
    """Return the documents under those of the references that name one of them."""
    by_id: dict[str, Document] = {}
    by_path: dict[str, Document] = {}
    for document in found:
        if isinstance(secret_id := document["_id"], str):
            by_id[secret_id] = document
        if isinstance(path := document.get("path"), str):
            by_path[path] = document
    named = ((ref, (by_path if ref.is_path else by_id).get(ref.text)) for ref in refs)
    return {ref: document for ref, document in named if document is not None}


def named(names: Sequence[SecretRef]) -> Document:
    """Return the filter for the secrets of these names."""
    by_field = {
        "_id": [name.text for name in names if not name.is_path],
        "path": [name.text for name in names if name.is_path],
    }
    # One alone where one will do: an alternative makes the database try several plans.
    conditions: list[Document] = [{field: {"$in": texts}} for field, texts in by_field.items() if texts]
    return conditions[0] if len(conditions) == 1 else {"$or": conditions or [{"_id": {"$in": []}}]}


def named_and_accessible(names: Mapping[AccessFilter, Sequence[SecretRef]]) -> Document:
    """Return the filter for the secrets of these names, each where the reach that names it covers it."""
    each = [{"$and": [named(those), accessible(access)]} for access, those in names.items()]
    return each[0] if len(each) == 1 else {"$or": each}


def accessible(access: AccessFilter) -> Document:
    """Return the filter for what ``reach`` covers, those included that were destroyed there."""
    if access.everything:
        return {}
    below = [re.compile("^" + re.escape(folder)) for folder in access.folders]
    covered = {"$in": [*access.paths, *below]}
    return {"$or": [{"path": covered}, {"former_path": covered}, {"owner": access.owner}]}


def allows(access: AccessFilter, document: Document) -> bool:
    """Return whether the document fulfils the filter ``reached(reach)``."""
    if access.everything:
        return True
    paths = [path for field in ("path", "former_path") for path in _elements(document, field)]
    return access.owner in _elements(document, "owner") or any(
        path in access.paths or path.startswith(access.folders) for path in paths
    )


def _elements(document: Document, field: str) -> list[str]:
    """Return the strings that a condition on the field looks at: all of a list, where there is one."""
    value = document.get(field)
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def within(byte_range: ByteRange) -> Document:
    """Return the condition for bytes in this span."""
    return {"$gte": byte_range.lowest, "$lte": byte_range.highest}


def outside(byte_range: ByteRange) -> tuple[Document, Document]:
    """Return the conditions of which bytes that are not in this span fulfil one.

    Two, because an index answers each of them at once, and the negation of ``within`` by reading everything.
    """
    return {"$lt": byte_range.lowest}, {"$gt": byte_range.highest}


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
