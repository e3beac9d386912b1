"""Runs wrk: each connection sends its next request as soon as the previous one is answered."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import requests

from .errors import Refused

_SCRIPT = Path(__file__).with_name("wrk.lua")
# In addition to the run time: for connections, handshakes and the last answers.
_PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Measured:
    """The result of one run: requests per second, latencies in seconds, and the number of failed requests."""

    rate: float
    p50: float
    p99: float
    errors: int


@dataclass(frozen=True, slots=True)
class Target:
    """A program at ``url``; ``token`` may fetch each of the secrets whose ids are in the file ``ids``.

    ``api`` is one of those in ``wrk.lua``.
    """

    url: str
    token: str
    ids: Path
    api: str = "service"


def require() -> None:
    """Check that wrk is installed.

    Raises:
        Refused: it is not.
    """
    if shutil.which("wrk") is None:
        raise Refused("there is no wrk on PATH; on Debian: apt-get install wrk")


def run(target: Target, kind: str, connections: int, seconds: int) -> Measured:
    """Send requests of a kind (see ``wrk.lua``) over so many persistent connections, with one thread.

    Raises:
        Refused: wrk failed.
    """
    finished = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "-s", _SCRIPT, target.url],
        env={
            **os.environ,
            "BENCH_API": target.api,
            "BENCH_KIND": kind,
            "BENCH_TOKEN": target.token,
            "BENCH_IDS": str(target.ids),
            "BENCH_SEED": str(random.randrange(2**31)),  # noqa: S311  (selects the secrets to fetch)
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


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a program that was just started answers.

    Raises:
        Refused: it ended, or did not answer in time.
    """
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            requests.get(url, timeout=5)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise Refused(f"{url} does not answer: {log.read_text()}")
