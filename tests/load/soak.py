"""High load while the database is killed and restarted: is anything lost, does memory grow?"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import check, journal
from .client import Stop
from .journal import STOPPED, Journal, Operation
from .run import Load, run
from .stage import Stage, stage
from .targets import Api, own_node

# When the database is killed, as shares of the run time.
_DEATHS = (0.35, 0.65)
_AWAY_SECONDS = 5.0
_SAMPLE_SECONDS = 2.0
_GIVE_UP_SECONDS = 60.0
# Short enough for an answer within the client's time limit: the work and its record may each take so long.
_LIMITS = {"MONGO_TIMEOUT_SECONDS": "2"}
# The error that callers may see while the database is down, and until the service has found it again.
_ALLOWED = "503"
_FINDING_SECONDS = 10.0
# Memory counts as constant if the last quarter of the time needs at most so much more than the second.
_MAX_GROWTH = 1.1


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result; ``memory`` are samples of the largest worker, in MiB.

    ``verified`` is the last line of the verification of the audit log, and ``intact`` whether it found
    nothing.  ``outages`` are the times, since the epoch, from which and until which the database was down.
    """

    operations: Sequence[Operation]
    outages: Sequence[tuple[float, float]]
    findings: check.Findings
    memory: Sequence[float]
    verified: str
    intact: bool

    @property
    def unexpected(self) -> set[str]:
        """The errors that callers should not have seen."""
        return {
            error
            for one in self.operations
            for error in _seen(one)
            if not (error == _ALLOWED and self._was_away(one))
        }

    def _was_away(self, operation: Operation) -> bool:
        return any(
            operation.t < back + _FINDING_SECONDS and operation.end > gone for gone, back in self.outages
        )

    @property
    def growth(self) -> float:
        """The memory in the last quarter of the time, divided by that in the second quarter."""
        quarter = max(1, len(self.memory) // 4)
        return statistics.median(self.memory[-quarter:]) / statistics.median(
            self.memory[quarter : 2 * quarter]
        )

    @property
    def clean(self) -> bool:
        """Whether all is as it should be."""
        return self.findings.clean and self.intact and not self.unexpected and self.growth <= _MAX_GROWTH


def _seen(operation: Operation) -> Sequence[str]:
    """Return the errors of an operation, except for an attempt that the end of the run cut off."""
    return operation.errors[:-2] if operation.errors[-1:] == (STOPPED,) else operation.errors


def soak(clients: int, seconds: float) -> Outcome:
    """Run the test on its own database and service, and stop both."""
    with (
        tempfile.TemporaryDirectory(prefix="soak-") as folder,
        stage(Path(folder), 1, tls=True, changed=_LIMITS) as staged,
    ):
        api = Api([own_node(staged.target.url)], Path(str(staged.server.verify)), staged.target.token)
        memory: list[float] = []
        outages: list[tuple[float, float]] = []
        stop, over = Stop(seconds), threading.Event()
        others = [
            threading.Thread(target=_watch, args=(staged, memory, over)),
            threading.Thread(target=_break, args=(staged, seconds, over, outages)),
        ]
        for other in others:
            other.start()
        file = Path(folder) / "journal"
        try:
            with Journal(file) as lines:
                run(Load(api, clients, seconds, _GIVE_UP_SECONDS, None), lines, stop)
        finally:
            over.set()
            for other in others:
                other.join()
        operations, _ = journal.read(file)
        log = Path(folder) / "audit"
        log.write_text(staged.operate("audit", "export").stdout)
        findings = check.check(operations, check.read_audit(log), api, clients, _GIVE_UP_SECONDS)
        verified = staged.operate("audit", "verify")
    report = "".join(verified.stdout.splitlines()[-1:])
    return Outcome(operations, outages, findings, memory, report, verified.returncode == 0)


def _watch(staged: Stage, memory: list[float], over: threading.Event) -> None:
    while not over.wait(_SAMPLE_SECONDS):
        memory.append(staged.mebibytes())


def _break(staged: Stage, seconds: float, over: threading.Event, outages: list[tuple[float, float]]) -> None:
    """Kill the database as a power failure would, and start it again."""
    passed = 0.0
    for share in _DEATHS:
        if over.wait(share * seconds - passed):
            return
        _say("the database is killed")
        gone = time.time()
        staged.mongo.process.kill()
        staged.mongo.process.wait()
        over.wait(_AWAY_SECONDS)
        staged.mongo.start()
        outages.append((gone, time.time()))
        _say("the database is back")
        passed = share * seconds + _AWAY_SECONDS


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
