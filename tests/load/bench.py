"""The speed of the service beside other programs on the same machine, in the same run.

In every round each program has each kind of request, while the others are stopped; so other work on the
machine affects all of them.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from . import wrk
from .contestants import Contestant
from .openbao import openbao
from .stage import stage, yardstick
from .wrk import Measured

KINDS = ("healthz", "whoami", "create", "kv_write", "fetch", "kv_read", "deliver", "mix", "batch")
PEERS = ("openbao",)
_WARM_UP_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure and how long; ``changed`` are variables of the service that differ from the role's.

    ``beside`` is another checkout of the service to compare with, ``peer`` another product.  The yardstick
    and the peers speak plain HTTP, so they take part only if the service does.
    """

    connections: Sequence[int]
    kinds: Sequence[str]
    rounds: int
    seconds: int
    stored: int
    tls: bool
    changed: Mapping[str, str]
    peer: str | None
    beside: Path | None


@dataclass(frozen=True, slots=True)
class Row:
    """The medians of one kind of call of one program at one number of connections.

    ``processor`` is the processor time of all its processes per request, in seconds; ``memory`` is that of
    all its processes, in MiB.
    """

    kind: str
    connections: int
    program: str
    measured: Measured
    processor: float
    memory: float


def run(plan: Plan) -> list[Row]:
    """Measure everything, and print the progress.

    Raises:
        Refused: something that is needed is missing or does not work.
    """
    wrk.require()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        contestants = _contestants(plan, folder, stack)
        return [
            row
            for connections in plan.connections
            for kind in plan.kinds
            for row in _measure(plan, contestants, connections, kind)
        ]


def _contestants(plan: Plan, folder: Path, stack: ExitStack) -> list[Contestant]:
    (folder / "service").mkdir()
    staged = stack.enter_context(stage(folder / "service", plan.stored, tls=plan.tls, changed=plan.changed))
    found = [staged.contestant("service")]
    if plan.beside is not None:
        (folder / "beside").mkdir()
        other = stack.enter_context(
            stage(
                folder / "beside", plan.stored, tls=plan.tls, changed=plan.changed, root=plan.beside.resolve()
            )
        )
        found.append(other.contestant("beside"))
    if not plan.tls:
        found.append(stack.enter_context(yardstick(folder / "yardstick", plan.stored)))
    if plan.peer is not None:
        (folder / "peer").mkdir()
        found.append(stack.enter_context(openbao(folder / "peer", plan.stored)))
    return found


def _measure(plan: Plan, contestants: Sequence[Contestant], connections: int, kind: str) -> list[Row]:
    able = [contestant for contestant in contestants if kind in contestant.kinds]
    found: dict[str, list[tuple[Measured, float]]] = {contestant.name: [] for contestant in able}
    for number in range(plan.rounds):
        for contestant in able:
            with contestant.alone(contestants):
                wrk.run(contestant.target, kind, connections, _WARM_UP_SECONDS)
                before = contestant.processor_seconds()
                measured = wrk.run(contestant.target, kind, connections, plan.seconds)
                used = contestant.processor_seconds() - before
            found[contestant.name].append((measured, used / max(1.0, measured.rate * plan.seconds)))
            print(
                f"{connections} connections, {kind}, round {number + 1} of {plan.rounds}, {contestant.name}:"
                f" {measured.rate:.0f}/s",
                file=sys.stderr,
                flush=True,
            )
    return [
        Row(
            kind,
            connections,
            contestant.name,
            _median([measured for measured, _ in found[contestant.name]]),
            statistics.median(used for _, used in found[contestant.name]),
            contestant.mebibytes(),
        )
        for contestant in able
    ]


def _median(results: Sequence[Measured]) -> Measured:
    return Measured(
        rate=statistics.median(one.rate for one in results),
        p50=statistics.median(one.p50 for one in results),
        p99=statistics.median(one.p99 for one in results),
        errors=sum(one.errors for one in results),
    )
