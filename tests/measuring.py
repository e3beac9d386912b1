"""Measures the time and memory of a command."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tests.gunicorn_server import ROOT

_POLL_SECONDS = 0.05


def measure(variables: Mapping[str, str], *arguments: str, quiet: bool = False) -> None:
    """Run a command of the service, and print its seconds and its peak memory.

    The peak is from ``/proc``: ``getrusage`` of a child starts with the memory of its parent.
    """
    started, peak = time.monotonic(), 0
    with subprocess.Popen(
        [sys.executable, "-m", "service", *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdout=subprocess.DEVNULL if quiet else None,
    ) as process:
        while process.poll() is None:
            match = re.search(
                r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text(), re.MULTILINE
            )
            # A process that has ended but was not waited for has no such line.
            peak = int(match[1]) // 1024 if match else peak
            time.sleep(_POLL_SECONDS)
    seconds = time.monotonic() - started
    if process.returncode:
        sys.exit(f"{' '.join(arguments)} ended with {process.returncode}")
    print(f"{' '.join(arguments[:2])}: {seconds:.1f} s, {peak} MiB", flush=True)
