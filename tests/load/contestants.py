"""What a benchmark compares: programs that do the same job, each with its processes on this machine."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .wrk import Target


@dataclass(frozen=True, slots=True)
class Contestant:
    """A program that is ready; ``processes`` returns the ids of all that its calls run in."""

    name: str
    target: Target
    processes: Callable[[], Sequence[int]]
    kinds: Sequence[str]

    def processor_seconds(self) -> float:
        """Return the processor time that its processes have used so far, in seconds."""
        return sum(map(_processor_seconds, self.processes()))

    def mebibytes(self) -> float:
        """Return the memory of its processes: their own, and their part of what they share (PSS)."""
        return sum(map(pss, self.processes())) / 2**20

    @contextmanager
    def alone(self, all_: Sequence[Contestant]) -> Iterator[None]:
        """Stop the others' processes meanwhile: even an idle database takes processor time."""
        others = [process for other in all_ if other is not self for process in other.processes()]
        for process in others:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in others:
                os.kill(process, signal.SIGCONT)


def children(process: int) -> list[int]:
    """Return the ids of a process's children."""
    found = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(child) for child in found.split()]


def pss(process: int) -> int:
    """Return a process's memory, in bytes: its own, and its part of what it shares.

    Of the service's processes only root may read it.
    """
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    return sum(int(found) for found in re.findall(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)) * 1024


def _processor_seconds(process: int) -> float:
    # utime and stime (proc(5)), counted from after the name, which may contain spaces.
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
