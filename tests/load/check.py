"""Checks that everything that was acknowledged is still there, unchanged and audited."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .client import Client, Stop
from .errors import Refused
from .journal import Kind, Operation, Result, json_lines
from .targets import Api


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """The fields of an audit record that identify one answer."""

    request_id: str | None
    operation: str | None
    secret_id: str | None
    status: str | None


@dataclass(frozen=True, slots=True)
class Findings:
    """What is not as it was acknowledged.

    ``checked`` creates were fetched again: the service no longer has the ``lost`` ones, ``wrong`` ones have
    another value, and ``unanswered`` ones could not be fetched.  ``contradictions`` are answers during the
    run that were not the acknowledged value: another value, or "not found".  Of all ``answers``, the
    ``unaudited`` ones have no audit record.
    """

    checked: int
    answers: int
    lost: Sequence[Operation]
    wrong: Sequence[Operation]
    unanswered: Sequence[Operation]
    contradictions: Sequence[Operation]
    unaudited: Sequence[Operation]

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not any(operations for _, operations in self.by_name())

    def by_name(self) -> Iterator[tuple[str, Sequence[Operation]]]:
        """Return each kind of finding with its name."""
        yield "lost", self.lost
        yield "wrong", self.wrong
        yield "unanswered", self.unanswered
        yield "contradicted during the run", self.contradictions
        yield "unaudited", self.unaudited


def check(
    operations: Sequence[Operation],
    audit: frozenset[AuditRecord] | None,
    api: Api,
    clients: int,
    give_up: float,
) -> Findings:
    """Fetch every acknowledged create again and, if ``audit`` is given, look for every answer in it.

    Raises:
        Refused: nothing was acknowledged, so nothing can be checked.
    """
    created = [
        operation for operation in operations if operation.op is Kind.CREATE and operation.acknowledged
    ]
    if not created:
        raise Refused("the journal has no acknowledged create: there is nothing to check")
    answered = [operation for operation in operations if operation.acknowledged]
    fetched = _fetch_all(created, api, clients, give_up)
    return Findings(
        checked=len(created),
        answers=len(answered),
        lost=[operation for operation in fetched if operation.denied],
        wrong=[operation for operation in fetched if operation.result is Result.WRONG],
        unanswered=[
            operation for operation in fetched if not operation.acknowledged and not operation.denied
        ],
        contradictions=[
            operation for operation in operations if operation.result is Result.WRONG or operation.denied
        ],
        unaudited=[] if audit is None else [one for one in answered if not _is_audited(one, audit)],
    )


def read_audit(path: Path) -> frozenset[AuditRecord]:
    """Return the records of a dump of the audit log, one JSON object per line; other fields are ignored.

    Raises:
        Refused: there is no such file, or it is malformed.
    """
    return frozenset(
        AuditRecord(*(fields.get(name) for name in AuditRecord.__slots__)) for _, fields in json_lines(path)
    )


def _is_audited(answered: Operation, audit: frozenset[AuditRecord]) -> bool:
    return bool(answered.request_ids) and all(
        AuditRecord(request_id, answered.op, answered.id, "success") in audit
        for request_id in answered.request_ids
    )


def _fetch_all(created: Sequence[Operation], api: Api, clients: int, give_up: float) -> list[Operation]:
    def fetch(part: Sequence[Operation]) -> list[Operation]:
        with Client(api, give_up, Stop()) as client:
            return [client.fetch(str(operation.id), operation.digest) for operation in part]

    with ThreadPoolExecutor(clients) as threads:
        parts = [created[number::clients] for number in range(clients)]
        return [operation for part in threads.map(fetch, parts) for operation in part]
