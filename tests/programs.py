"""Runs this project's commands as processes of their own, without importing everything again.

A server that has imported them already forks for each command: a tenth of a second of processor less than a
new interpreter.  What is about the interpreter's start itself uses ``subprocess``.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.reduction import DupFd
from typing import Any

from tests.gunicorn_server import ROOT

_SECONDS = 120

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    [
        "tests.programs",
        "service.commands.audit",
        "service.commands.backup",
        "service.commands.export",
        "service.commands.import_",
        "service.commands.indexes",
        "service.commands.mongo",
        "service.commands.token",
        "tests.load.run",
    ]
)


def run_module(
    module: str, *arguments: str, environment: Mapping[str, str], stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run ``python -m MODULE ARGUMENTS`` in the project's folder, with ``stdin`` in a pipe and no terminal.

    ``environment`` is beside the test's own.
    """
    reading, writing = os.pipe()
    with (
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
        os.fdopen(writing, "wb") as to_stdin,
    ):
        streams = (reading, output.fileno(), errors.fileno())
        process = _context.Process(
            target=_run, args=(module, arguments, {**os.environ, **environment}, _Streams(streams))
        )
        process.start()
        os.close(reading)
        with suppress(BrokenPipeError):  # it ends without reading all of it
            to_stdin.write(stdin)
            to_stdin.close()
        process.join(_SECONDS)
        if (code := process.exitcode) is None:
            process.kill()
            process.join()
            raise TimeoutError(f"{module} {arguments[:1]} did not end within {_SECONDS} s")
        process.close()
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess([module, *arguments], code, output.read(), errors.read())


def as_text(finished: subprocess.CompletedProcess[bytes]) -> subprocess.CompletedProcess[str]:
    """Return the same with its output as text."""
    output, errors = finished.stdout.decode(), finished.stderr.decode()
    return subprocess.CompletedProcess(finished.args, finished.returncode, output, errors)


class _Streams:
    """File descriptors that go to the process with its arguments."""

    def __init__(self, descriptors: tuple[int, int, int]) -> None:
        self._descriptors = descriptors

    def __reduce__(self) -> tuple[Any, ...]:
        return _Received, tuple(map(DupFd, self._descriptors))


class _Received:
    def __init__(self, *handles: Any) -> None:
        self._handles = handles

    def install(self) -> None:
        """Make them standard input, output and error."""
        for number, handle in enumerate(self._handles):
            descriptor = handle.detach()
            os.dup2(descriptor, number)
            os.close(descriptor)
        sys.stdin = os.fdopen(0, closefd=False)
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)


def _run(module: str, arguments: tuple[str, ...], environment: dict[str, str], streams: _Received) -> None:
    os.setsid()
    streams.install()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
