"""The manifest of a backup, and the tally of documents that it is compared with."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from ..errors import Tampered

# Append only: a number that has been in a file never changes its meaning.  Since 2, the manifest has the
# audit log's newest checkpoint; since 3, there may be grants, and since 4, AppRoles, their secret ids
# and shares, which an earlier version would leave out, and secrets without a value and options of folders,
# which it would take for altered.
FORMAT, FORMATS = 4, (1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class CollectionSummary:
    """One collection: its number of documents, and the length and SHA-256 of their BSON."""

    documents: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The contents of a backup; nothing in it is secret.

    ``made_at`` is the point in time of the backup, and ``cluster_time`` its MongoDB timestamp.  ``key_id`` is
    the id of the master key that opens the file; its contents are under the keys in ``key_ids``.
    ``checkpoint`` is the newest one of the audit log, as the service's log has it; None if there was none.
    """

    format: int
    backup_id: str
    made_at: str
    cluster_time: tuple[int, int]
    key_id: str
    key_ids: tuple[str, ...]
    parts: dict[str, CollectionSummary]
    checkpoint: dict[str, Any] | None = None

    @classmethod
    def from_json(cls, text: bytes) -> Manifest:
        """Read it from JSON.

        Raises:
            Tampered: it is malformed.
        """
        try:
            fields = json.loads(text)
            parts = {name: CollectionSummary(**part) for name, part in fields["parts"].items()}
            tuples = {name: tuple(fields[name]) for name in ("cluster_time", "key_ids")}
            return cls(**(fields | tuples | {"parts": parts}))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Tampered("its manifest cannot be read") from None


@dataclass(slots=True)
class Tally:
    """Counts the documents of each collection, when a backup is written and when it is read."""

    _found: dict[str, tuple[int, int, Any]] = field(default_factory=dict)

    def add(self, collection: str, documents: bytes) -> int:
        """Count documents, given as concatenated BSON; return their number."""
        count = start = 0
        while start < len(documents):
            # Each begins with its length; the minimum of 5 keeps malformed data from looping forever.
            start += max(int.from_bytes(documents[start : start + 4], "little"), 5)
            count += 1
        counted, size, digest = self._found.setdefault(collection, (0, 0, hashlib.sha256()))
        digest.update(documents)
        self._found[collection] = (counted + count, size + len(documents), digest)
        return count

    def parts(self) -> dict[str, CollectionSummary]:
        """Return the summary of each collection so far."""
        return {
            name: CollectionSummary(count, size, digest.hexdigest())
            for name, (count, size, digest) in self._found.items()
        }
