"""output: whatever becomes of standard output, a command says so in one line and fails."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import pytest
from flask.testing import FlaskClient

from tests.calls import CREATE, post
from tests.gunicorn_server import ROOT

WITHOUT_DATABASE = [["--help"], ["--version"], ["completion", "bash"], ["backup", "create", "--help"]]
WITH_DATABASE = [["audit"], ["audit", "export"], ["audit", "verify"], ["backup", "create"]]
FULL = "secret-manager: cannot write to standard output: No space left on device\n"
ENDED = "secret-manager: the program that reads the output ended before its end\n"
CLOSED = "secret-manager: cannot write to standard output: Bad file descriptor\n"


def run(
    arguments: list[str], output: int | BinaryIO | None, environment: Mapping[str, str], *before: str
) -> tuple[int, str]:
    """Run a command with this standard output; return its exit code, and what is on standard error."""
    finished = subprocess.run(
        [*before, sys.executable, "-m", "service", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    return finished.returncode, finished.stderr


def into_full_disk(arguments: list[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """Run a command whose output goes to a full disk."""
    with Path("/dev/full").open("wb") as full:
        return run(arguments, full, environment)


def into_ended_program(arguments: list[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """Run a command whose output goes to a program that has ended."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        return run(arguments, pipe, environment)


def into_nothing(arguments: list[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """Run a command whose output is closed."""
    return run(arguments, None, environment, "sh", "-c", 'exec "$@" >&-', "-")


@pytest.mark.parametrize("arguments", WITHOUT_DATABASE, ids=" ".join)
def test_a_failed_write_is_told_in_one_line(arguments: list[str]) -> None:
    """With exit code 2, whether output is full, read by nobody any more, or closed."""
    assert (2, FULL) == into_full_disk(arguments, {})
    assert (2, ENDED) == into_ended_program(arguments, {})
    assert (2, CLOSED) == into_nothing(arguments, {})


@pytest.mark.parametrize("arguments", WITH_DATABASE, ids=" ".join)
def test_a_failed_write_of_records_is_told_in_one_line(
    client: FlaskClient, environment: dict[str, str], arguments: list[str]
) -> None:
    """The same for what comes from the database."""
    post(client, CREATE, {"secret": "YQ==", "path": "a"})

    for code, told, expected in (
        (*into_full_disk(arguments, environment), FULL),
        (*into_ended_program(arguments, environment), ENDED),
        (*into_nothing(arguments, environment), CLOSED),
    ):
        *_, line = told.splitlines(keepends=True)
        assert (2, expected) == (code, line)
        assert "Traceback" not in told
        assert "Exception ignored" not in told
