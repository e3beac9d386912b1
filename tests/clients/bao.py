"""The command line of OpenBao, which is Vault's, as people and scripts use it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.gunicorn_server import Server
from tests.openbao import required_program

_SECONDS = 60


class Bao:
    """Runs `bao` with a home folder of its own, and with ``token`` if there is one."""

    def __init__(self, server: Server, home: Path, token: str | None = None) -> None:
        self._program = required_program()
        self.home = home
        self.environment = environment(server, home, token)

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command to its end, whatever that is."""
        return subprocess.run(
            [self._program, *arguments],
            cwd=self.home,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )

    def output(self, *arguments: str, stdin: str = "") -> str:
        """Run a command that must succeed and warn of nothing, and return what it prints."""
        finished = self.run(*arguments, stdin=stdin)
        assert (0, "") == (finished.returncode, finished.stderr), finished.stdout + finished.stderr
        return finished.stdout

    def json(self, *arguments: str) -> Any:
        """Run a command and its subcommand with ``-format=json``, and return the document."""
        command = 2 if arguments[0] in {"kv", "token"} else 1
        if arguments[:2] == ("kv", "metadata"):
            command = 3
        return json.loads(self.output(*arguments[:command], "-format=json", *arguments[command:]))

    def refusal(self, *arguments: str) -> str:
        """Run a command that must fail with exit code 2, and return what it says."""
        finished = self.run(*arguments)
        assert 2 == finished.returncode, finished.stdout + finished.stderr
        return finished.stderr


def environment(server: Server, home: Path, token: str | None) -> dict[str, str]:
    """Return the variables that `bao` and its agent read."""
    variables = {"HOME": str(home), "PATH": os.environ["PATH"], "BAO_ADDR": server.url}
    if isinstance(server.verify, str):
        variables["BAO_CACERT"] = server.verify
    if token is not None:
        variables["BAO_TOKEN"] = token
    return variables


def table(text: str) -> dict[str, str]:
    """Return the rows of the last table in an output, by their first column."""
    rows = text.rsplit("\n---", 1)[1].splitlines()[1:]
    return {name: value.strip() for name, _, value in (row.partition(" ") for row in rows if row)}
