"""Turns what was read from a file into secrets to import, and says of every line what would become of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..access import paths
from ..api.secrets.creation import new_secret
from ..errors import InvalidBase64, InvalidFields, VaultError
from ..models import Principal
from ..secrets.create import NewSecret
from ..secrets.vault import Vault
from . import importing
from .formats.line import Line, Problem
from .importing import Existing, Outcome, Step


@dataclass(frozen=True, slots=True)
class Planned:
    """What would become of the secret at a line; ``step`` is None where there is none to be had.

    ``text`` says it to the operator and never has a value in it.
    """

    number: int
    text: str
    step: Step | None

    @property
    def outcome(self) -> Outcome:
        """What would become of it."""
        return Outcome.REFUSE if self.step is None else self.step.outcome


def plan(
    vault: Vault,
    principal: Principal,
    lines: Sequence[Line | Problem],
    folder: str,
    existing: Existing,
) -> list[Planned]:
    """Return what would become of each line, in their order; ``folder`` goes in front of every path.

    Raises:
        KeyRingUnproven: the key ring does not fit the data.
        StoreUnavailable: the database did not answer.
    """
    read = list(_wishes(lines, folder))
    steps = iter(
        importing.plan(vault, principal, [one for _, one in read if isinstance(one, NewSecret)], existing)
    )
    return [
        Planned(number, f"{Outcome.REFUSE}: {one}", None)
        if isinstance(one, str)
        else _planned(number, next(steps))
        for number, one in read
    ]


def told(error: VaultError) -> str:
    """Return an error in one line."""
    if not isinstance(error, InvalidFields):
        return str(error)
    return "; ".join(
        message if field == "_schema" else f"{field}: {message}"
        for field, found in error.errors.items()
        for message in dict.fromkeys(_messages(found))
    )


def _planned(number: int, step: Step) -> Planned:
    # A path that is none could be anything, a value in the wrong field included.
    named = f"{step.wish.path}: " if paths.is_path(step.wish.path or "") else ""
    why = "" if step.error is None else f": {told(step.error)}"
    return Planned(number, f"{named}{step.outcome}{why}", step)


def _wishes(lines: Sequence[Line | Problem], folder: str) -> Iterator[tuple[int, NewSecret | str]]:
    """Return the number of each line, and its secret or why there is none."""
    first: dict[str, int] = {}
    for line in lines:
        if isinstance(line, Problem):
            yield line.number, line.text
            continue
        try:
            wish = new_secret(_within(folder, line.body))
        except (InvalidFields, InvalidBase64) as error:
            yield line.number, told(error)
            continue
        if wish.path is None:
            yield line.number, "path: without one nobody would find it again"
        elif wish.path in first:
            yield line.number, f"path: line {first[wish.path]} has the same"
        else:
            first[wish.path] = line.number
            yield line.number, wish


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
