"""The chain of one writer's records: each is numbered and authenticates the previous one.

A writer is a process.  Its first record opens the chain, its last one closes it.  ``mac`` is the
HMAC-SHA256 of all fields of a record, its id, and the ``mac`` of the previous record: without the key,
records cannot be changed, moved or forged, and a missing record leaves a gap in the numbers.
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
# ``previous`` of the first record of a chain.
BEGINNING = bytes(hashlib.sha256().digest_size)
# The actor of records about the log itself.
SERVICE = "service"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ID = re.compile(r"(?P<writer>[0-9a-f]{24}):(?P<seq>[0-9]{12})")


@dataclass(frozen=True, slots=True)
class AuditKeys:
    """The keys that authenticate records and checkpoints, both derived from the audit key.

    Existing ones may also be from one of the ``former`` keys, if another cluster's log was restored.
    """

    records: bytes = field(repr=False)
    checkpoints: bytes = field(repr=False)
    former: tuple[AuditKeys, ...] = ()

    @classmethod
    def of(cls, audit_key: bytes, former: Sequence[AuditKeys] = ()) -> AuditKeys:
        """Derive them from the audit key."""
        records, checkpoints = (
            hmac.digest(audit_key, purpose, "sha256") for purpose in (b"audit records", b"audit checkpoints")
        )
        return cls(records, checkpoints, tuple(former))


@dataclass(frozen=True, slots=True)
class Head:
    """The last position in a chain; ``seq`` counts from 0 and is -1 before the first record."""

    writer: str
    seq: int = -1
    mac: bytes = BEGINNING
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A record at its position in a chain."""

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
        """The head of the chain after this record."""
        return Head(self.writer, self.seq, self.mac, self.record.operation == CLOSE)


def new_writer() -> str:
    """Return the name of a new writer; names sort by the second in which they were created."""
    return f"{int(time.time()):08x}{secrets.token_hex(8)}"


def begun_at(writer: str) -> datetime:
    """Return when a writer was created, to the second."""
    return datetime.fromtimestamp(int(writer[:8], 16), UTC)


def first_name(at: datetime) -> str:
    """Return a string that sorts before every writer created at that time or later."""
    return f"{max(int(at.timestamp()), 0):08x}"


def record_id(writer: str, seq: int) -> str:
    """Return the id of a record; ids of a chain sort in order of their numbers."""
    return f"{writer}:{seq:012}"


def place(record_id: object) -> tuple[str, int]:
    """Return the writer and the number of a record.

    Raises:
        Tampered: it is not the id of a record in a chain.
    """
    found = _ID.fullmatch(record_id) if isinstance(record_id, str) else None
    if found is None:
        raise Tampered("not a valid id of a record in a chain")
    return found["writer"], int(found["seq"])


def link(keys: AuditKeys, head: Head, records: Iterable[AuditRecord]) -> list[Link]:
    """Return the records as links that follow ``head``."""
    links = []
    for record in records:
        at, previous = record_id(head.writer, head.seq + 1), head.mac
        mac = authenticate(keys, at, {**record.fields(), "previous": previous})
        links.append(Link(head.writer, head.seq + 1, record, previous, mac))
        head = links[-1].head
    return links


def authenticate(keys: AuditKeys, record_id: str, fields: Mapping[str, object]) -> bytes:
    """Return the ``mac`` of a record; ``fields`` are all its stored fields except the id and the ``mac``.

    Raises:
        Tampered: a field has a type that no record has.
    """
    pairs = {name: _text(value) for name, value in fields.items()}
    return hmac.digest(keys.records, encode({**pairs, "_id": record_id}), "sha256")


def is_authentic(keys: AuditKeys, record_id: str, fields: Mapping[str, object], mac: object) -> bool:
    """Return whether the service wrote this record at this position.

    Raises:
        Tampered: a field has a type that no record has.
    """
    return isinstance(mac, bytes) and any(
        hmac.compare_digest(mac, authenticate(each, record_id, fields)) for each in (keys, *keys.former)
    )


def is_authentic_document(keys: AuditKeys, document: Mapping[str, object]) -> bool:
    """Return whether the service wrote the record that is stored as this document, whatever it contains."""
    record_id = document.get("_id")
    fields = {name: value for name, value in document.items() if name not in ("_id", "mac")}
    try:
        return isinstance(record_id, str) and is_authentic(keys, record_id, fields, document.get("mac"))
    except (Tampered, UnicodeEncodeError):
        return False


def opening(writer: str, at: datetime) -> AuditRecord:
    """Return the record that opens a writer's chain."""
    return _chain_record(OPEN, writer, at, None)


def closing(by: str, at: datetime, reason: str | None = None) -> AuditRecord:
    """Return the record that closes a chain: the writer's own or, with a ``reason``, another writer's."""
    return _chain_record(CLOSE, by, at, reason)


def _chain_record(operation: str, by: str, at: datetime, reason: str | None) -> AuditRecord:
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
            # With the database's precision.
            return f"t{(value - _EPOCH) // timedelta(milliseconds=1)}"
    raise Tampered("a field has a type that no record has")
