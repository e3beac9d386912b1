"""Plans an import: turns the lines of a file into requests, and describes the plan for every line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..access import paths
from ..api.secrets.requests import create_request
from ..errors import InvalidBase64, InvalidFields, VaultError
from ..models import Principal
from ..secrets.create import CreateSecret
from ..secrets.services import SecretServices
from . import importing
from .formats.line import Line, LineError, NullLine, ParsedLine
from .importing import Existing, ImportOutcome, ImportStep


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """The plan for one line; ``step`` is None if the line has no valid secret.

    ``text`` describes it to the operator and never contains a value.
    """

    number: int
    text: str
    outcome: ImportOutcome
    step: ImportStep | None = None


def plan(
    services: SecretServices,
    principal: Principal,
    lines: Sequence[Line],
    folder: str,
    existing: Existing,
    *,
    allow_empty: bool = False,
    unit: str = "line",
) -> list[PlannedLine]:
    """Return the plan for each line, in order; ``folder`` is prepended to every path.

    ``unit`` is what the numbers of the lines count; for ``allow_empty`` see ``importing.plan``.

    Raises:
        KeyRingMismatch: the key ring does not fit the data.
        StoreUnavailable: the database did not answer.
    """
    parsed = list(_requests(lines, folder, unit))
    requests = [request for _, request in parsed if isinstance(request, CreateSecret)]
    steps = iter(importing.plan(services, principal, requests, existing, allow_empty=allow_empty))
    named = all(_has_name(found) for _, found in parsed)
    readings = {line.number: line.reading for line in lines if isinstance(line, ParsedLine)}
    return [
        _planned(number, next(steps), readings[number], named=named)
        if isinstance(found, CreateSecret)
        else _without_secret(number, found, named=named)
        for number, found in parsed
    ]


def has_names(planned: Sequence[PlannedLine]) -> bool:
    """Return whether the descriptions have the paths of secrets: only if every line was understood."""
    return all(
        line.outcome is ImportOutcome.NULL or (line.step is not None and _has_name(line.step.request))
        for line in planned
    )


def describe_error(error: VaultError) -> str:
    """Return the text of an error, in one line."""
    if not isinstance(error, InvalidFields):
        return str(error)
    return "; ".join(
        message if field == "_schema" else f"{field}: {message}"
        for field, found in error.errors.items()
        for message in dict.fromkeys(_messages(found))
    )


def _planned(number: int, step: ImportStep, reading: str, *, named: bool) -> PlannedLine:
    name = f"{step.request.path}{f' ({reading})' if reading else ''}: " if named else ""
    reason = "" if step.error is None else f": {describe_error(step.error)}"
    return PlannedLine(number, f"{name}{step.outcome}{reason}", step.outcome, step)


def _without_secret(number: int, found: NullLine | str, *, named: bool) -> PlannedLine:
    if isinstance(found, NullLine):
        name = f"{found.path}: " if named else ""
        return PlannedLine(number, f"{name}{ImportOutcome.NULL}", ImportOutcome.NULL)
    return PlannedLine(number, f"{ImportOutcome.REFUSE}: {found}", ImportOutcome.REFUSE)


def _has_name(found: CreateSecret | NullLine | str) -> bool:
    """Return whether a name can be shown; in a file that is not understood it could be part of a value."""
    return not isinstance(found, str) and paths.is_path(found.path or "")


def _requests(
    lines: Sequence[Line], folder: str, unit: str
) -> Iterator[tuple[int, CreateSecret | NullLine | str]]:
    """Yield the number of each line, and its secret or why there is none."""
    seen: dict[str, int] = {}
    for line in lines:
        if isinstance(line, LineError):
            yield line.number, line.text
            continue
        if isinstance(line, NullLine):
            yield line.number, replace(line, path=folder + line.path)
            continue
        try:
            request = create_request(_within(folder, line.body))
        except (InvalidFields, InvalidBase64) as error:
            yield line.number, describe_error(error)
            continue
        if request.path is None:
            yield line.number, "path: missing; a secret without one could not be found again"
        elif request.path in seen:
            yield line.number, f"path: {unit} {seen[request.path]} has the same path"
        else:
            seen[request.path] = line.number
            yield line.number, request


def _within(folder: str, body: Mapping[str, object]) -> Mapping[str, object]:
    """Return the body with the folder prepended to its path; an empty path is the folder itself."""
    path = body.get("path")
    if not isinstance(path, str):
        return body
    return {**body, "path": folder + path if path else folder.removesuffix("/")}


def _messages(found: object) -> Iterator[str]:
    if isinstance(found, str):
        yield found
        return
    for nested in found.values() if isinstance(found, Mapping) else found:  # type: ignore[attr-defined]
        yield from _messages(nested)
