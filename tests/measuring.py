"""Runs a command and measures it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tests.gunicorn_server import ROOT

_LOOK_SECONDS = 0.05


def measure(variables: Mapping[str, str], *arguments: str, quiet: bool = False) -> None:
    """Run a command of the service to its end, and print its seconds and the most memory that it had.

    What ``getrusage`` tells of a child begins with the memory of whoever started it.
    """
    started, peak = time.monotonic(), 0
    with subprocess.Popen(
        [sys.executable, "-m", "service", *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdout=subprocess.DEVNULL if quiet else None,
    ) as process:
        while process.poll() is None:
            found = re.search(
                r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text(), re.MULTILINE
            )
            # There is none any more of one that has ended and was not waited for.
            peak = int(found[1]) // 1024 if found else peak
            time.sleep(_LOOK_SECONDS)
    seconds = time.monotonic() - started
    if process.returncode:
        sys.exit(f"{' '.join(arguments)} ended with {process.returncode}")
    print(f"{' '.join(arguments[:2])}: {seconds:.1f} s, {peak} MiB", flush=True)
