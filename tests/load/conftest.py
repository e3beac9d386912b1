"""Helpers for the tests of the load program."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.gunicorn_server import ROOT
from tests.load.journal import Kind, Operation, Result
from tests.programs import as_text, run_module

COMMAND = [sys.executable, "-m", "tests.load"]


def load(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the load program to its end."""
    return as_text(run_module("tests.load", *map(str, arguments), environment={}))


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """The path of this test's journal."""
    return tmp_path / "load.jsonl"


@pytest.fixture
def start_load(journal: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return a function that starts ``run`` in the background."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*COMMAND, "run", "--journal", str(journal), *arguments],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def wait_for(journal: Path, count: int, *parts: str, seconds: float = 60) -> None:
    """Wait until the journal has ``count`` lines more than now that contain all of ``parts``.

    The last line may be incomplete when it is read, so nothing is parsed here.
    """

    def found() -> int:
        lines = journal.read_text().splitlines() if journal.exists() else []
        return sum(all(part in line for part in parts) for line in lines)

    expected = count + found()
    end = time.monotonic() + seconds
    while found() < expected:
        assert time.monotonic() < end, f"no {count} lines with {parts} within {seconds} s"
        time.sleep(0.1)


def dump_audit_log(database: Database, path: Path) -> Path:
    """Write the audit log as an operator would dump it, and return the path."""
    path.write_text("".join(json.dumps(record, default=str) + "\n" for record in database.audit_logs.find()))
    return path


def operation(**changed: Any) -> Operation:
    """Return an acknowledged create that took no time, at 100 s, with these fields changed."""
    usual = Operation(
        t=100.0,
        end=100.0,
        op=Kind.CREATE,
        id="3f0f7b52-7a3c-4b52-9a53-0a7d4bb2f7b1",
        digest="00" * 32,
        attempts=1,
        request_ids=("r",),
        url="http://127.0.0.1:8000",
        result=Result.OK,
        errors=(),
    )
    return replace(usual, **changed)
