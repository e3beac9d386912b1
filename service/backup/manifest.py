"""What a backup says of itself, and how that is compared with what is in it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from ..errors import Tampered

# Append only: a number that has been in a file keeps its meaning for good.
FORMAT = 1


@dataclass(frozen=True, slots=True)
class CollectionSummary:
    """One collection: its documents, and the length and SHA-256 of their BSON."""

    documents: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup has in it; nothing of it is secret.

    ``made_at`` is the point in time that it shows, and ``cluster_time`` MongoDB's own name for that.
    ``key_id`` names the master key that opens the file, ``key_ids`` those that what is in it is under.
    """

    format: int
    backup_id: str
    made_at: str
    cluster_time: tuple[int, int]
    key_id: str
    key_ids: tuple[str, ...]
    parts: dict[str, CollectionSummary]

    @classmethod
    def from_json(cls, text: bytes) -> Manifest:
        """Read it.

        Raises:
            Tampered: nobody wrote it like this.
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
    """Counts what of each collection has come by, on the way out and on the way in alike."""

    _found: dict[str, tuple[int, int, Any]] = field(default_factory=dict)

    def add(self, collection: str, documents: bytes) -> int:
        """Count documents, BSON one behind the other; return how many those are."""
        count = start = 0
        while start < len(documents):
            # Each begins with its length; one that were shorter than that would never end.
            start += max(int.from_bytes(documents[start : start + 4], "little"), 5)
            count += 1
        counted, size, digest = self._found.setdefault(collection, (0, 0, hashlib.sha256()))
        digest.update(documents)
        self._found[collection] = (counted + count, size + len(documents), digest)
        return count

    def parts(self) -> dict[str, CollectionSummary]:
        """Return what has come by so far."""
        return {
            name: CollectionSummary(count, size, digest.hexdigest())
            for name, (count, size, digest) in self._found.items()
        }
