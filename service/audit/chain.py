"""The chain that the records of one writer form: each is numbered and authenticates the one before.

A writer is a process.  Its first record opens the chain, its last one closes it.  ``mac`` is the
HMAC-SHA256 of all that a record says, of its place, and of the ``mac`` of the record before: who has no
key can neither change a record, nor move it, nor make one up; and what is missing leaves a gap in the
numbers.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ..crypto.canonical import encode
from ..errors import Tampered
from ..models import AuditRecord, Status

KEY_BYTES = 32
OPEN, CLOSE = "chain_open", "chain_close"
# What the first record of a chain has in the place of the mac before.
BEGINNING = bytes(hashlib.sha256().digest_size)
# The actor of records about the log itself.
SERVICE = "service"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ID = re.compile(r"(?P<writer>[0-9a-f]{24}):(?P<seq>[0-9]{12})")


@dataclass(frozen=True, slots=True)
class AuditKeys:
    """What records are authenticated with, and what checkpoints are; both derived from the audit key.

    What is there may also be from one of the ``former`` keys: a restored log was another cluster's.
    """

    records: bytes = field(repr=False)
    checkpoints: bytes = field(repr=False)
    former: tuple[AuditKeys, ...] = ()

    @classmethod
    def of(cls, audit_key: bytes, former: Sequence[AuditKeys] = ()) -> AuditKeys:
        """Derive them."""
        records, checkpoints = (
            hmac.digest(audit_key, purpose, "sha256") for purpose in (b"audit records", b"audit checkpoints")
        )
        return cls(records, checkpoints, tuple(former))


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain has come to; ``seq`` counts from 0 and is -1 before the first record."""

    writer: str
    seq: int = -1
    mac: bytes = BEGINNING
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A record in its place in a chain."""

    writer: str
    seq: int
    record: AuditRecord
    previous: bytes
    mac: bytes

    @property
    def record_id(self) -> str:
        """The id under which it is stored."""
        return record_id(self.writer, self.seq)

    @property
    def head(self) -> Head:
        """The chain as it is with this record."""
        return Head(self.writer, self.seq, self.mac, self.record.operation == CLOSE)


def new_writer() -> str:
    """Return the name of a new writer; names sort by the second in which they were made."""
    return f"{int(time.time()):08x}{secrets.token_hex(8)}"


def begun_at(writer: str) -> datetime:
    """Return when a writer began, to the second."""
    return datetime.fromtimestamp(int(writer[:8], 16), UTC)


def first_name(at: datetime) -> str:
    """Return what sorts before every writer that began at that time or later."""
    return f"{max(int(at.timestamp()), 0):08x}"


def record_id(writer: str, seq: int) -> str:
    """Return the id of a record: those of a chain sort in its order."""
    return f"{writer}:{seq:012}"


def place(record_id: object) -> tuple[str, int]:
    """Return the writer and the number of a record.

    Raises:
        Tampered: this is no id of a record in a chain.
    """
    found = _ID.fullmatch(record_id) if isinstance(record_id, str) else None
    if found is None:
        raise Tampered("not an id that a writer gives")
    return found["writer"], int(found["seq"])


def link(keys: AuditKeys, head: Head, records: Iterable[AuditRecord]) -> list[Link]:
    """Return the records as they follow ``head``."""
    links = []
    for record in records:
        at, previous = record_id(head.writer, head.seq + 1), head.mac
        mac = authenticate(keys, at, {**record.fields(), "previous": previous})
        links.append(Link(head.writer, head.seq + 1, record, previous, mac))
        head = links[-1].head
    return links


def authenticate(keys: AuditKeys, record_id: str, fields: Mapping[str, object]) -> bytes:
    """Return the ``mac`` of a record; ``fields`` is all that is stored of it but the id and the ``mac``.

    Raises:
        Tampered: a field is of a type that no record has.
    """
    pairs = {name: _text(value) for name, value in fields.items()}
    return hmac.digest(keys.records, encode({**pairs, "_id": record_id}), "sha256")


def is_authentic(keys: AuditKeys, record_id: str, fields: Mapping[str, object], mac: object) -> bool:
    """Return whether the service wrote this in this place.

    Raises:
        Tampered: a field is of a type that no record has.
    """
    return isinstance(mac, bytes) and any(
        hmac.compare_digest(mac, authenticate(one, record_id, fields)) for one in (keys, *keys.former)
    )


def opening(writer: str, at: datetime) -> AuditRecord:
    """Return the record that begins a writer's chain."""
    return _of_the_log(OPEN, writer, at, None)


def closing(by: str, at: datetime, reason: str | None = None) -> AuditRecord:
    """Return the record that ends a chain: the writer's own, or another one's, with the ``reason``."""
    return _of_the_log(CLOSE, by, at, reason)


def _of_the_log(operation: str, by: str, at: datetime, reason: str | None) -> AuditRecord:
    return AuditRecord(
        timestamp=at,
        operation=operation,
        secret_id=None,
        client_ip="127.0.0.1",
        status=Status.FAILURE if reason else Status.SUCCESS,
        actor=SERVICE,
        request_id=by,
        reason=reason,
    )


def _text(value: object) -> str:
    match value:
        case None:
            return "-"
        case str():
            return f"s{value}"
        case bool():
            return f"b{value}"
        case int():
            return f"i{value}"
        case bytes():
            return f"x{value.hex()}"
        case datetime():
            # As the database keeps it.
            return f"t{(value - _EPOCH) // timedelta(milliseconds=1)}"
    raise Tampered("a field of a type that no record has")
