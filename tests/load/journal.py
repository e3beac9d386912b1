"""The journal: one JSON line per operation and per mark, appended by any number of processes."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any

from .errors import Refused


class Kind(StrEnum):
    """What an operation does."""

    CREATE = "create"
    FETCH = "fetch"


class Result(StrEnum):
    """How an operation ended for the client, after all its attempts."""

    OK = "ok"
    GAVE_UP = "gave-up"
    WRONG = "wrong"
    ERROR = "error"


# The last error of an operation that the end of the run cut off, which is not a failure.
STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of one client.

    ``t`` and ``end`` are seconds since the epoch.  ``digest`` is the SHA-256 of the stored value, in hex.
    ``request_ids`` are those of the attempts that were answered with a 200, ``url`` is that of the last
    attempt, and ``errors`` has a word for each failed attempt.
    """

    t: float
    end: float
    op: Kind
    id: str | None
    digest: str
    attempts: int
    request_ids: tuple[str, ...]
    url: str
    result: Result
    errors: tuple[str, ...]

    @property
    def acknowledged(self) -> bool:
        """Whether the service gave an answer, right or wrong."""
        return self.result in (Result.OK, Result.WRONG)

    @property
    def failed(self) -> bool:
        """Whether a client that retries saw an error."""
        return self.result is not Result.OK and self.errors[-1:] != (STOPPED,)

    @property
    def denied(self) -> bool:
        """Whether the service said that an acknowledged secret does not exist."""
        return self.op is Kind.FETCH and self.result is Result.ERROR and self.errors[-1:] == ("404",)


@dataclass(frozen=True, slots=True)
class Mark:
    """What was done to the cluster at ``t``, in seconds since the epoch."""

    t: float
    mark: str


class Journal:
    """A journal to append to.

    Each line is one ``write`` to a file opened with O_APPEND: lines of several threads and processes do not
    mix, and a line that was written survives its process.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError as error:
            raise Refused(f"{path}: {error.strerror}") from None

    def append(self, line: Operation | Mark) -> None:
        """Add a line."""
        data = json.dumps(asdict(line), separators=(",", ":")).encode() + b"\n"
        if os.write(self._file, data) != len(data):
            raise OSError("only a part of a line was written to the journal")

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)


def mark(path: Path, text: str) -> None:
    """Record in the journal that ``text`` was done just now."""
    with Journal(path) as journal:
        journal.append(Mark(time.time(), text))


def read(path: Path) -> tuple[list[Operation], list[Mark]]:
    """Return the operations and the marks of a journal, in the order of the file.

    Raises:
        Refused: there is no such file, or a line of it is malformed.
    """
    operations: list[Operation] = []
    marks: list[Mark] = []
    for number, fields in json_lines(path):
        try:
            if "mark" in fields:
                marks.append(Mark(**fields))
            else:
                operations.append(_operation(fields))
        except (KeyError, TypeError, ValueError) as error:
            raise Refused(f"{path}, line {number}: not a line of a journal: {error}") from None
    return operations, marks


def json_lines(path: Path) -> Sequence[tuple[int, dict[str, Any]]]:
    """Return the objects of a file with one JSON object per line, with their line numbers.

    Raises:
        Refused: there is no such file, or a line of it is not a JSON object.
    """
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from None
    found = []
    for number, line in enumerate(lines, 1):
        try:
            fields = json.loads(line)
        except ValueError:
            fields = None
        if not isinstance(fields, dict):
            raise Refused(f"{path}, line {number}: not a JSON object")
        found.append((number, fields))
    return found


def _operation(fields: dict[str, Any]) -> Operation:
    return Operation(
        **fields
        | {
            "op": Kind(fields["op"]),
            "result": Result(fields["result"]),
            "request_ids": tuple(fields["request_ids"]),
            "errors": tuple(fields["errors"]),
        }
    )
