"""What became of each attempt to give a task its secret, by the vault's audit log and by the driver's log.

An attempt that reached the vault has an audit record.  One that did not has only a line in the driver's log,
which is part of the engine's log on the manager that led the Swarm at that time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

DELIVERED = "delivered"
# Outcomes of the driver's lines (docs/reference/swarm-driver.md) for which no address of the vault answered.
_NOT_REACHED = frozenset({"vault_not_reached", "circuit_open"})
_REACHED = frozenset({DELIVERED, "not_allowed", "token_refused", "vault_unavailable", "invalid_answer"})

_MAX_WORDS = 512
# How the engine quotes a line of a plugin in its own log, unless that is JSON.
_QUOTED = re.compile(r'\bmsg="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call of the driver or of the vault; what is not known is empty or None.

    ``outcome`` is ``delivered``, the ``reason`` of an audit record, or the ``outcome`` of a driver's line;
    ``words`` are the driver's.  A record of a call that was refused before it was read names no task.
    """

    at: datetime
    outcome: str
    task_id: str = ""
    docker_secret: str = ""
    path: str = ""
    version: str = ""
    actor: str = ""
    request_id: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which no call of the driver reached the vault; ``until`` is None if it goes on."""

    since: datetime
    until: datetime | None
    words: str


def from_records(records: Iterable[Mapping[str, Any]]) -> list[Attempt]:
    """Return the attempts that audit records show, without checks and what the vault did not write."""
    return [
        Attempt(
            at=datetime.fromisoformat(record["timestamp"]),
            outcome=DELIVERED if record["status"] == "success" else str(record["reason"]),
            task_id=record["task_id"] or "",
            docker_secret=record["docker_secret"] or "",
            path=record["path"] or "",
            version=str(record["version"] or ""),
            actor=record["actor"],
            request_id=record["request_id"],
        )
        for record in records
        if record["operation"] == "deliver" and record["authentic"]
    ]


def from_log(lines: Iterable[str]) -> list[Attempt]:
    """Return the attempts in lines of an engine's log, or of a driver's; other lines are skipped."""
    parsed = (_call(line) for line in lines)
    return [attempt for attempt in parsed if attempt is not None]


def merge(records: Sequence[Attempt], lines: Sequence[Attempt]) -> list[Attempt]:
    """Return all attempts, oldest first; a record says more than the line about the same answer."""
    recorded = {record.request_id for record in records}
    return sorted(
        [*records, *(line for line in lines if not line.request_id or line.request_id not in recorded)],
        key=lambda attempt: attempt.at,
    )


def outage(lines: Sequence[Attempt], at: datetime) -> Outage | None:
    """Return the outage that had begun by ``at`` and had not ended before, or None if there was none."""
    since: datetime | None = None
    words = ""
    for line in sorted(lines, key=lambda line: line.at):
        if line.outcome in _NOT_REACHED:
            since = since or line.at
            # The other outcome only says that there was none a moment ago.
            words = line.words if line.outcome == "vault_not_reached" else words
        elif line.outcome in _REACHED:
            if since is not None and since <= at <= line.at:
                return Outage(since, line.at, words)
            since = None
    return None if since is None or since > at else Outage(since, None, words)


def is_outage(attempt: Attempt) -> bool:
    """Return whether the vault was not reached."""
    return attempt.outcome in _NOT_REACHED


def printable(text: object) -> str:
    """Return text from elsewhere as it may be shown on a terminal."""
    return "".join(each if each.isprintable() else "?" for each in str(text))


def _call(line: str) -> Attempt | None:
    # Most lines of an engine's log are of other kinds, and it may be long.
    if "outcome" not in line:
        return None
    fields = _fields(line)
    if not isinstance(fields, dict) or fields.get("event") != "call":
        return None
    try:
        at = datetime.fromisoformat(fields["timestamp"])
        if at.tzinfo is None:
            return None
    except (KeyError, TypeError, ValueError):
        return None
    text = {name: printable(fields.get(name) or "")[:_MAX_WORDS] for name in fields}
    return Attempt(
        at=at,
        outcome=text.get("outcome", ""),
        task_id=text.get("task_id", ""),
        docker_secret=text.get("docker_secret", ""),
        path=text.get("path", ""),
        version=text.get("version", ""),
        request_id=text.get("request_id", ""),
        words=text.get("reason", ""),
    )


def _fields(line: str) -> Any:
    """Return the driver's document in a line: by itself, or as the message of a line of the engine."""
    try:
        if quoted := _QUOTED.search(line):
            return json.loads(json.loads(f'"{quoted[1]}"'))
        document = json.loads(line[line.index("{") :])
        is_engines = isinstance(document, dict) and isinstance(document.get("msg"), str)
        return json.loads(document["msg"]) if is_engines else document
    except (ValueError, RecursionError):
        return None
