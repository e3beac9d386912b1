"""What this machine's processes take while nobody calls the service: ``python -m tests.load idle``."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
# Processes of the engine and of what runs in containers, by parts of their command lines.
_GROUPS = {
    "the service": ("gunicorn",),
    "MongoDB": ("mongod --quiet",),
    "health checks": ("service health", "/dev/tcp/", "sleep 5"),
    "the engine": ("dockerd", "containerd"),
}


def idle(seconds: float) -> dict[str, float]:
    """Return the percentage of one processor by group of processes, over ``seconds``.

    Processes that began and ended meanwhile are counted with their parent, which has waited for them.
    """
    before = _ticks()
    time.sleep(seconds)
    taken: Counter[str] = Counter(dict.fromkeys(_GROUPS, 0))
    for process, (group, ticks) in _ticks().items():
        taken[group] += ticks - before.get(process, (group, 0))[1]
    return {group: 100 * ticks / _TICKS / seconds for group, ticks in taken.items()}


def _ticks() -> dict[str, tuple[str, int]]:
    """Return the group and the processor time of each process of a group, by its id."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            times = (folder / "stat").read_text().rpartition(")")[2].split()[11:15]
        except OSError:
            continue  # It has just ended.
        for group, parts in _GROUPS.items():
            if any(part in command for part in parts):
                found[folder.name] = (group, sum(map(int, times)))
                break
    return found
