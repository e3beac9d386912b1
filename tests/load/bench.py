"""The speed of the service, compared with requests that do nothing and with the bare driver.

Every round has every kind of request, so that other work on the machine affects all of them; the result is
the ratio of the medians over the rounds.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from . import wrk
from .driver import Driver
from .stage import Stage, stage
from .wrk import Measured

# The kinds of requests; the first one does nothing, and the others are compared with it.
NOTHING = "healthz"
KINDS = (NOTHING, "whoami", "create", "fetch", "mix", "batch")
_WARM_UP_SECONDS = 2

Run = Callable[[], Measured]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure and how long; ``changed`` are variables of the service that differ from the role's."""

    connections: Sequence[int]
    kinds: Sequence[str]
    rounds: int
    seconds: int
    stored: int
    tls: bool
    changed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """The medians of one kind of call at one number of connections.

    ``processor`` is the processor time that the workers and the database use per request, in seconds;
    ``memory`` is that of a worker, in MiB.
    """

    kind: str
    connections: int
    measured: Measured
    ratio: float
    processor: float | None
    memory: float | None


def run(plan: Plan) -> list[Row]:
    """Measure everything, and print the progress.

    Raises:
        Refused: something that is needed is missing or does not work.
    """
    wrk.require()
    rows: list[Row] = []
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        stage(Path(folder), plan.stored, tls=plan.tls, changed=plan.changed) as staged,
    ):
        driver = Driver(staged.mongo.uri, plan.stored)
        try:
            for kind in plan.kinds:
                wrk.run(staged.target, kind, max(plan.connections), _WARM_UP_SECONDS)
            for connections in plan.connections:
                rows += _measure(plan, staged, driver, connections)
        finally:
            driver.close()
    return rows


def _measure(plan: Plan, staged: Stage, driver: Driver, connections: int) -> list[Row]:
    runs: dict[str, Run] = {
        kind: partial(wrk.run, staged.target, kind, connections, plan.seconds) for kind in plan.kinds
    }
    runs["driver's insert"] = partial(driver.insert, connections, plan.seconds)
    runs["driver's find"] = partial(driver.find, connections, plan.seconds)
    found: dict[str, list[Measured]] = {name: [] for name in runs}
    memory: dict[str, float] = {}
    processor: dict[str, list[float]] = {kind: [] for kind in plan.kinds}
    for number in range(plan.rounds):
        for name, measure in runs.items():
            before = staged.processor_seconds()
            found[name].append(measure())
            if name in plan.kinds:
                requests = max(1.0, found[name][-1].rate * plan.seconds)
                processor[name].append((staged.processor_seconds() - before) / requests)
                memory[name] = staged.mebibytes()
            print(
                f"{connections} connections, round {number + 1} of {plan.rounds}, {name}:"
                f" {found[name][-1].rate:.0f}/s",
                file=sys.stderr,
                flush=True,
            )
    nothing = found[NOTHING]
    return [
        Row(
            name,
            connections,
            _median(results),
            _ratio(results, nothing),
            statistics.median(processor[name]) if name in processor else None,
            memory.get(name),
        )
        for name, results in found.items()
    ]


def _median(results: Sequence[Measured]) -> Measured:
    return Measured(
        rate=statistics.median(one.rate for one in results),
        p50=statistics.median(one.p50 for one in results),
        p99=statistics.median(one.p99 for one in results),
        errors=sum(one.errors for one in results),
    )


def _ratio(results: Sequence[Measured], nothing: Sequence[Measured]) -> float:
    """Return the median of the rounds' ratios: the two rates of a round had similar conditions."""
    return statistics.median(one.rate / other.rate for one, other in zip(results, nothing, strict=True))
