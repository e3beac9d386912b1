"""tests.load.idle: the processor time of a cluster that nobody calls."""

import subprocess
import sys

from tests.load.idle import idle


def test_counts_processes_by_group() -> None:
    """One that is busy, with a name as the engine has it."""
    busy = [sys.executable, "-c", "while True: pass", "containerd"]

    with subprocess.Popen(busy) as process:
        try:
            taken = idle(0.5)
        finally:
            process.kill()

    assert ["the service", "MongoDB", "health checks", "the engine"] == list(taken)
    assert taken["the engine"] > 5
