"""Reads secrets of Bitwarden Secrets Manager, in JSON.

``bws secret list`` and ``bws secret get`` of bws 1.0 print an array or an object; the web vault exports an
object with ``projects`` and ``secrets``.  The path is the key.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import entries
from .entries import Entry, Unusable

_LISTED = {"id", "organizationId", "key", "value"}
_EXPORTED = {"id", "key", "value", "projectIds"}


def looks_like_it(document: object) -> bool:
    """Return whether a document has the fields of one of these."""
    if isinstance(document, dict) and document.keys() == {"projects", "secrets"}:
        return document["secrets"] == [] or entries.are_all(document["secrets"], _EXPORTED)
    return entries.are_all(document if isinstance(document, list) else [document], _LISTED)


def entries_of(document: Any) -> Iterator[Entry]:
    """Yield each secret; those of several projects cannot be told apart by their path."""
    if isinstance(document, dict):
        document = document.get("secrets", [document])
    projects = {str(secret.get("projectId") or secret.get("projectIds")) for secret in document}
    for secret in document:
        value = secret["value"]
        if len(projects) > 1:
            value = Unusable(
                "the secrets are of several projects: import one project at a time, each into its own"
                " --prefix (bws secret list PROJECT)"
            )
        yield Entry(secret["key"], value, ["note"] if secret.get("note") else [])
