"""Child processes that are supervised together: if one dies or a signal arrives, all are stopped."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from types import FrameType

from ..environment import Address
from ..server.local_client import get_status

_STOP_SECONDS = 30
_POLL_SECONDS = 0.2

Processes = Mapping[str, subprocess.Popen[bytes]]


class StopSignal:
    """True once SIGINT (Ctrl-C) or SIGTERM was received, so that the caller can shut down in order."""

    def __init__(self) -> None:
        self._received = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._receive)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self._received = True

    def __bool__(self) -> bool:
        return self._received


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


def _first_dead(processes: Processes) -> str | None:
    return next((name for name, process in processes.items() if process.poll() is not None), None)
