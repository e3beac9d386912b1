"""Runs wrk: as many requests as so many connections can carry, each sent when the one before is answered."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .errors import Refused

_SCRIPT = Path(__file__).with_name("wrk.lua")
# Beyond its own seconds: for connections, handshakes and the last answers.
_PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run showed: requests per second, latencies in seconds, and how many were no success."""

    rate: float
    p50: float
    p99: float
    errors: int


@dataclass(frozen=True, slots=True)
class Target:
    """The service at ``url``, for the holder of ``token``, who may fetch each of the ids in the file."""

    url: str
    token: str
    ids: Path


def require() -> None:
    """Return where wrk can be run.

    Raises:
        Refused: it is not there.
    """
    if shutil.which("wrk") is None:
        raise Refused("there is no wrk on PATH; on Debian: apt-get install wrk")


def run(target: Target, kind: str, connections: int, seconds: int) -> Measured:
    """Send requests of a kind (see ``wrk.lua``) over so many connections that stay open, with one thread.

    Raises:
        Refused: wrk could not do it.
    """
    finished = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "-s", _SCRIPT, target.url],
        env={
            **os.environ,
            "BENCH_KIND": kind,
            "BENCH_TOKEN": target.token,
            "BENCH_IDS": str(target.ids),
            "BENCH_SEED": str(random.randrange(2**31)),  # noqa: S311  (which secret is asked for)
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds + _PATIENCE_SECONDS,
        check=False,
    )
    try:
        found = json.loads(finished.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        raise Refused(f"wrk ended with {finished.returncode}: {finished.stderr.strip()}") from None
    if not found["requests"]:
        raise Refused(f"no request was answered within {seconds} s: this machine is too busy to measure on")
    return Measured(found["requests"] / found["seconds"], found["p50"], found["p99"], found["errors"])
