"""Runs commands with pipes, as operators and roles do."""

import os
import subprocess
import sys
from collections.abc import Mapping

from tests.gunicorn_server import ROOT


def operate(
    environment: Mapping[str, str], *arguments: str, stdin: bytes = b"", **changed: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command of the service with these bytes as its standard input, and no terminal."""
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment, **changed},
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
        start_new_session=True,
    )
