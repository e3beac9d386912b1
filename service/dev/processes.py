"""Child processes that live and die together, until someone asks for the end."""

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
    """True once Ctrl-C or SIGTERM has come: the caller goes on to its orderly end."""

    def __init__(self) -> None:
        self._came = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._come)

    def _come(self, number: int, frame: FrameType | None) -> None:
        self._came = True

    def __bool__(self) -> bool:
        return self._came


def stop_process(process: subprocess.Popen[bytes]) -> None:
    """End a process: with SIGTERM, and with SIGKILL where that is not heeded within 30 seconds."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_ready(
    address: Address, seconds: float, processes: Processes, asked: StopSignal, *, tls: bool = False
) -> bool:
    """Return whether ``/readyz`` answers 200 within ``seconds``, while all processes live."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not asked and not _first_dead(processes):
        with suppress(OSError):
            if get_status(address, "/readyz", tls=tls, seconds=5) == HTTPStatus.OK:
                return True
        time.sleep(_POLL_SECONDS)
    return False


def wait_for_end(processes: Processes, asked: StopSignal) -> str | None:
    """Return the name of the process that died by itself, or None when it is time to stop."""
    while not asked:
        if died := _first_dead(processes):
            return died
        time.sleep(_POLL_SECONDS)
    return None


def _first_dead(processes: Processes) -> str | None:
    return next((name for name, process in processes.items() if process.poll() is not None), None)
