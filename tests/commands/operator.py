"""Runs commands with pipes, as operators and roles do."""

import subprocess
from collections.abc import Mapping

from tests.programs import run_module


def operate(
    environment: Mapping[str, str], *arguments: str, stdin: bytes = b"", **changed: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command of the service with these bytes as its standard input, and no terminal."""
    return run_module("service", *arguments, environment={**environment, **changed}, stdin=stdin)
