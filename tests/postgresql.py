"""A real PostgreSQL on a Unix socket, which demands passwords."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ADMIN_PASSWORD = "admin-hunter2"
_SECONDS = 30
_DEBIANS = Path("/usr/lib/postgresql")


class PostgreSQL:
    """A server that listens in ``folder``, and whose administrator is ``postgres``."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self.psql = programs / "psql"
        self.log = folder / "log"

    def execute(
        self, sql: str, user: str = "postgres", password: str = ADMIN_PASSWORD
    ) -> subprocess.CompletedProcess[str]:
        """Execute SQL as this user, and return how psql ended."""
        return subprocess.run(
            self.command(user), input=sql, text=True, capture_output=True, env=self.login(password)
        )

    def command(self, user: str) -> list[str]:
        """Return the command that reads SQL of this user."""
        return [str(self.psql), "-XAtq", "-w", "-v", "ON_ERROR_STOP=1", "-U", user]

    def login(self, password: str) -> dict[str, str]:
        """Return the variables with which psql finds the server and logs in."""
        return {"PGHOST": str(self.folder), "PGDATABASE": "postgres", "PGPASSWORD": password}


@contextmanager
def running() -> Iterator[PostgreSQL]:
    """Run a server with no data; skip the test if there is none, and fail it in CI, which installs one."""
    programs = _programs()
    if programs is None:
        reason = "PostgreSQL is missing: apt-get install --no-install-recommends postgresql"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    # Not in pytest's folder, which only root can enter; and a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        with _started(folder, programs) as server:
            yield server
    finally:
        shutil.rmtree(folder)


@contextmanager
def _started(folder: Path, programs: Path) -> Iterator[PostgreSQL]:
    # It refuses to run as root.
    owner = "postgres" if os.geteuid() == 0 else None
    group, groups = (owner, []) if owner else (None, None)
    password = folder / "password"
    password.write_text(ADMIN_PASSWORD)
    if owner:
        for path in (folder, password):
            shutil.chown(path, owner, owner)
    subprocess.run(
        [
            programs / "initdb",
            *("-D", "data", "-U", "postgres", "--pwfile", password, "--auth", "scram-sha-256"),
            *("--no-sync", "--encoding", "UTF8", "--locale", "C"),
        ],
        cwd=folder,
        check=True,
        capture_output=True,
        user=owner,
        group=group,
        extra_groups=groups,
    )
    server = PostgreSQL(folder, programs)
    with server.log.open("wb") as log:
        process = subprocess.Popen(
            [
                programs / "postgres",
                *("-D", "data", "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"),
                *("-c", "log_statement=all"),
            ],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=owner,
            group=group,
            extra_groups=groups,
        )
    try:
        end = time.monotonic() + _SECONDS
        while server.execute("SELECT 1").returncode:
            assert process.poll() is None, server.log.read_text()
            assert time.monotonic() < end, f"no answer within {_SECONDS} s"
            time.sleep(0.05)
        yield server
    finally:
        # Immediately: its data are removed.
        process.send_signal(signal.SIGQUIT)
        process.wait(_SECONDS)


def _programs() -> Path | None:
    """Return the folder of the newest server; Debian's are not on PATH."""
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    found = sorted(_DEBIANS.glob("*/bin/initdb"), key=lambda file: int(file.parent.parent.name))
    return found[-1].parent if found else None
