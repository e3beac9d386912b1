"""Child processes that are supervised together: if one dies or a signal arrives, all are stopped.

They end with this process, however it ends: see ``child``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from types import FrameType
from typing import IO

from ..environment import Address
from ..server.local_client import get_status

# The kernel ties a program to the thread that started it: this one lasts as long as the process.
_starter = ThreadPoolExecutor(1)
_CHILD = Path(__file__).with_name("child.py")
_STOP_SECONDS = 30
_POLL_SECONDS = 0.2

Processes = Mapping[str, subprocess.Popen[bytes]]


class StopSignal:
    """True once SIGINT (Ctrl-C), SIGTERM or SIGHUP was received, so that the caller can shut down in order.

    SIGHUP means that the terminal was closed; under ``nohup`` it is ignored, and stays so.
    """

    def __init__(self) -> None:
        self._received = False
        ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        for number in (signal.SIGINT, signal.SIGTERM, *(() if ignored else (signal.SIGHUP,))):
            signal.signal(number, self._receive)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self._received = True

    def __bool__(self) -> bool:
        return self._received


def start_process(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    output: IO[bytes] | int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program in ``folder``; its output goes to ``output``, or else to this process's."""
    return _starter.submit(
        subprocess.Popen,
        # Neither the environment nor the folder has a say in what this short program imports.
        [sys.executable, "-I", "-S", str(_CHILD), str(os.getpid()), *command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        # Ctrl-C in the terminal is for the caller, which stops its processes one after the other.
        start_new_session=True,
    ).result()


def stop_process(process: subprocess.Popen[bytes]) -> None:
    """Stop a process with SIGTERM, and with SIGKILL if it is still running after 30 seconds."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_ready(
    address: Address, seconds: float, processes: Processes, stop: StopSignal, *, tls: bool = False
) -> bool:
    """Return whether ``/readyz`` answers 200 within ``seconds``, with all processes running."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not stop and not _first_dead(processes):
        with suppress(OSError):
            if get_status(address, "/readyz", tls=tls, seconds=5) == HTTPStatus.OK:
                return True
        time.sleep(_POLL_SECONDS)
    return False


def wait_for_end(processes: Processes, stop: StopSignal) -> str | None:
    """Return the name of the first process that died, or None if ``stop`` was received."""
    while not stop:
        if died := _first_dead(processes):
            return died
        time.sleep(_POLL_SECONDS)
    return None


def describe_end(code: int) -> str:
    """Return how a process with this return code ended."""
    if code >= 0:
        return f"exit code {code}"
    name = signal.Signals(-code).name
    return f"killed by {name}, perhaps for lack of memory" if name == "SIGKILL" else f"killed by {name}"


def _first_dead(processes: Processes) -> str | None:
    return next((name for name, process in processes.items() if process.poll() is not None), None)
