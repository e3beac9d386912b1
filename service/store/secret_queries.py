"""Filters and projections for queries on secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..access import paths
from ..models import AccessFilter, ByteRange
from .database import Document


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A caller's reference to a secret: its id or its path.

    Raises:
        InvalidFields: the path is malformed.  It may contain anything, so no query or record gets it.
    """

    text: str
    is_path: bool = False

    def __post_init__(self) -> None:
        if self.is_path:
            paths.require_path(self.text)


def by_ref(found: Iterable[Document], refs: Iterable[SecretRef]) -> dict[SecretRef, Document]:
    """Return the documents by reference; references without a document are left out."""
    by_id: dict[str, Document] = {}
    by_path: dict[str, Document] = {}
    for document in found:
        if isinstance(secret_id := document["_id"], str):
            by_id[secret_id] = document
        if isinstance(path := document.get("path"), str):
            by_path[path] = document
    pairs = ((ref, (by_path if ref.is_path else by_id).get(ref.text)) for ref in refs)
    return {ref: document for ref, document in pairs if document is not None}


def matching(refs: Sequence[SecretRef]) -> Document:
    """Return the filter for the secrets with these ids and paths."""
    by_field = {
        "_id": [ref.text for ref in refs if not ref.is_path],
        "path": [ref.text for ref in refs if ref.is_path],
    }
    # Without "$or" if possible: with it, the database tries several plans.  For one id it plans nothing.
    conditions: list[Document] = [
        {field: texts[0] if len(texts) == 1 else {"$in": texts}} for field, texts in by_field.items() if texts
    ]
    return conditions[0] if len(conditions) == 1 else {"$or": conditions or [{"_id": {"$in": []}}]}


def matching_and_accessible(refs: Mapping[AccessFilter, Sequence[SecretRef]]) -> Document:
    """Return the filter for secrets that are referred to, each only if its own access filter allows it."""
    each = [
        matching(group) if access.everything else {"$and": [matching(group), accessible(access)]}
        for access, group in refs.items()
    ]
    return each[0] if len(each) == 1 else {"$or": each}


def accessible(access: AccessFilter) -> Document:
    """Return the filter for the secrets that ``access`` allows, including those destroyed at its paths.

    It also finds some altered ones with arrays that ``allows`` does not allow.
    """
    if access.everything:
        return {}
    # Ranges, which cost a comparison; a regular expression for each folder costs a hundred times as much.
    below = [{"$gte": folder, "$lt": paths.end_of(folder)} for folder in access.folders]
    covered: list[Document] = [{"$in": list(access.paths)}, *below]
    fields = ("path", "former_path")
    return {"$or": [*({field: each} for field in fields for each in covered), {"owner": access.owner}]}


def allows(access: AccessFilter, document: Document) -> bool:
    """Return whether ``access`` allows the secret in this document; for an array, any of its elements."""
    if access.everything:
        return True
    return access.owner in _elements(document, "owner") or any(
        path in access.paths or path.startswith(access.folders) for path in paths_in(document)
    )


def paths_in(document: Document) -> list[str]:
    """Return the present and the former path; for an array, all of its elements."""
    return [path for field in ("path", "former_path") for path in _elements(document, field)]


def _elements(document: Document, field: str) -> list[str]:
    value = document.get(field)
    values = value if isinstance(value, list) else [value]
    return [element for element in values if isinstance(element, str)]


def within(byte_range: ByteRange) -> Document:
    """Return the condition for bytes in this range."""
    return {"$gte": byte_range.lowest, "$lte": byte_range.highest}


def outside(byte_range: ByteRange) -> tuple[Document, Document]:
    """Return two conditions; bytes outside this range meet one of them.

    Two, because an index answers each of them directly, but the negation of ``within`` only by a full scan.
    """
    return {"$lt": byte_range.lowest}, {"$gt": byte_range.highest}


def with_values_of(numbers: Iterable[int | None]) -> Document:
    """Return an expression for the versions in which only these (None: the current one) have their payloads.

    Malformed versions are left as they are, so that the reader detects them.
    """
    wanted = ["$current" if number is None else number for number in numbers]
    selected = (
        {"$eq": ["$$each.version", wanted[0]]} if len(wanted) == 1 else {"$in": ["$$each.version", wanted]}
    )
    malformed = {"$ne": [{"$type": "$$each"}, "object"]}
    without_payload = {"$unsetField": {"field": "payload", "input": "$$each"}}
    each = {"$cond": [{"$or": [selected, malformed]}, "$$each", without_payload]}
    return {
        "$cond": [
            {"$isArray": "$versions"},
            {"$map": {"input": "$versions", "as": "each", "in": each}},
            "$versions",
        ]
    }
