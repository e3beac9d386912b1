"""Checkpoints: authenticated lists of the chains' heads, each linked to the previous checkpoint.

They stay when the records that they cover have expired, and a copy outside the database reveals what was
cut off inside it.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..crypto.canonical import encode
from ..errors import Tampered
from . import chain
from .chain import BEGINNING, AuditKeys, Head


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The heads of all chains that were open, or closed since the previous checkpoint, at a point in time.

    ``number`` counts from 1.  Records older than ``expired_before`` may have expired; None if they never
    expire.
    """

    number: int
    at: datetime
    heads: tuple[Head, ...]
    expired_before: datetime | None
    previous: bytes = BEGINNING
    mac: bytes = b""


def signed(keys: AuditKeys, checkpoint: Checkpoint) -> Checkpoint:
    """Return the checkpoint with its ``mac``."""
    return Checkpoint(
        checkpoint.number,
        checkpoint.at,
        checkpoint.heads,
        checkpoint.expired_before,
        checkpoint.previous,
        _mac(keys, checkpoint),
    )


def is_authentic(keys: AuditKeys, checkpoint: Checkpoint) -> bool:
    """Return whether the service made the checkpoint."""
    return any(hmac.compare_digest(checkpoint.mac, _mac(each, checkpoint)) for each in (keys, *keys.former))


def to_json(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the checkpoint as it is stored and logged."""
    before = checkpoint.expired_before
    return {
        "number": checkpoint.number,
        "at": checkpoint.at.isoformat(),
        "heads": [
            {"writer": head.writer, "seq": head.seq, "mac": head.mac.hex(), "closed": head.closed}
            for head in checkpoint.heads
        ],
        "expired_before": None if before is None else before.isoformat(),
        "previous": checkpoint.previous.hex(),
        "mac": checkpoint.mac.hex(),
    }


def from_json(found: Mapping[str, Any]) -> Checkpoint:
    """Return the checkpoint that ``to_json`` wrote.

    Raises:
        Tampered: it is malformed.
    """
    try:
        before = found["expired_before"]
        return Checkpoint(
            number=int(found["number"]),
            at=_time(found["at"]),
            heads=tuple(_head(head) for head in found["heads"]),
            expired_before=None if before is None else _time(before),
            previous=bytes.fromhex(found["previous"]),
            mac=bytes.fromhex(found["mac"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        raise Tampered("not a valid checkpoint") from None


def authentic(keys: AuditKeys, document: Mapping[str, Any]) -> Checkpoint | None:
    """Return the checkpoint that is stored as this document, or None if the service did not make it."""
    try:
        found = from_json(document)
    except Tampered:
        return None
    return found if document.get("_id") == found.number and is_authentic(keys, found) else None


def _head(found: Mapping[str, Any]) -> Head:
    writer, seq = chain.place(chain.record_id(found["writer"], int(found["seq"])))
    return Head(writer, seq, bytes.fromhex(found["mac"]), bool(found["closed"]))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _mac(keys: AuditKeys, checkpoint: Checkpoint) -> bytes:
    fields = to_json(checkpoint) | {"heads": _listed(checkpoint.heads)}
    del fields["mac"]
    return hmac.digest(
        keys.checkpoints, encode({name: str(value) for name, value in fields.items()}), "sha256"
    )


def _listed(heads: Sequence[Head]) -> str:
    return ",".join(f"{head.writer}:{head.seq}:{head.mac.hex()}:{head.closed:d}" for head in heads)
