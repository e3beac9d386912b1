"""Turns what was read from a file into secrets to import, and says of every line what would become of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..access import paths
from ..api.secrets.requests import create_request
from ..errors import InvalidBase64, InvalidFields, VaultError
from ..models import Principal
from ..secrets.create import CreateSecret
from ..secrets.services import SecretServices
from . import importing
from .formats.line import LineError, ParsedLine
from .importing import Existing, ImportOutcome, ImportStep


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """What would become of the secret at a line; ``step`` is None where there is none to be had.

    ``text`` says it to the operator and never has a value in it.
    """

    number: int
    text: str
    step: ImportStep | None

    @property
    def outcome(self) -> ImportOutcome:
        """What would become of it."""
        return ImportOutcome.REFUSE if self.step is None else self.step.outcome


def plan(
    services: SecretServices,
    principal: Principal,
    lines: Sequence[ParsedLine | LineError],
    folder: str,
    existing: Existing,
) -> list[PlannedLine]:
    """Return what would become of each line, in their order; ``folder`` goes in front of every path.

    Raises:
        KeyRingMismatch: the key ring does not fit the data.
        StoreUnavailable: the database did not answer.
    """
    read = list(_requests(lines, folder))
    steps = iter(
        importing.plan(
            services, principal, [one for _, one in read if isinstance(one, CreateSecret)], existing
        )
    )
    return [
        PlannedLine(number, f"{ImportOutcome.REFUSE}: {one}", None)
        if isinstance(one, str)
        else _planned(number, next(steps))
        for number, one in read
    ]


def describe_error(error: VaultError) -> str:
    """Return an error in one line."""
    if not isinstance(error, InvalidFields):
        return str(error)
    return "; ".join(
        message if field == "_schema" else f"{field}: {message}"
        for field, found in error.errors.items()
        for message in dict.fromkeys(_messages(found))
    )


def _planned(number: int, step: ImportStep) -> PlannedLine:
    # A path that is none could be anything, a value in the wrong field included.
    named = f"{step.request.path}: " if paths.is_path(step.request.path or "") else ""
    why = "" if step.error is None else f": {describe_error(step.error)}"
    return PlannedLine(number, f"{named}{step.outcome}{why}", step)


def _requests(
    lines: Sequence[ParsedLine | LineError], folder: str
) -> Iterator[tuple[int, CreateSecret | str]]:
    """Return the number of each line, and its secret or why there is none."""
    first: dict[str, int] = {}
    for line in lines:
        if isinstance(line, LineError):
            yield line.number, line.text
            continue
        try:
            request = create_request(_within(folder, line.body))
        except (InvalidFields, InvalidBase64) as error:
            yield line.number, describe_error(error)
            continue
        if request.path is None:
            yield line.number, "path: without one nobody would find it again"
        elif request.path in first:
            yield line.number, f"path: line {first[request.path]} has the same"
        else:
            first[request.path] = line.number
            yield line.number, request


def _within(folder: str, body: Mapping[str, object]) -> Mapping[str, object]:
    """Return the body with the folder in front of its path; an empty path is the folder itself."""
    path = body.get("path")
    if not isinstance(path, str):
        return body
    return {**body, "path": folder + path if path else folder.removesuffix("/")}


def _messages(found: object) -> Iterator[str]:
    if isinstance(found, str):
        yield found
        return
    for one in found.values() if isinstance(found, Mapping) else found:  # type: ignore[attr-defined]
        yield from _messages(one)
