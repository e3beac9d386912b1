"""What runs in the task that imports the Swarm's secrets: tests/cluster/ has the whole."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.commands.test_import import fetched
from tests.roles import ROOT

PROGRAM = ROOT / "roles/vault_api/files/import_swarm_secrets.py"
PATHS = {"db": "db", "smtp_v3": "mail/password"}
VALUES = {"db": b"canary one\n", "smtp_v3": b"\x00\xff canary"}

Import = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run_import(environment: dict[str, str], tmp_path: Path) -> Import:
    """Return a function that imports files into the database."""
    for name, value in VALUES.items():
        (tmp_path / name).write_bytes(value)

    def run_import(*options: str) -> subprocess.CompletedProcess[str]:
        # As the container is given it: a text, with the service on Python's path.
        return subprocess.run(
            [
                *(sys.executable, "-c", PROGRAM.read_text(), str(tmp_path), json.dumps(PATHS)),
                *("--prefix", "team/app", *options),
            ],
            cwd=tmp_path,
            env={**environment, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run_import


def test_imports_mounted_secrets_byte_for_byte(run_import: Import, client: FlaskClient) -> None:
    """Under their paths; no value is printed."""
    dry = run_import("--existing", "refuse", "--dry-run")
    done = run_import("--existing", "refuse")

    assert (0, "") == (dry.returncode, dry.stderr)
    assert ["team/app/db: create", "team/app/mail/password: create"] == [
        line.partition(": ")[2] for line in dry.stdout.splitlines()[:2]
    ]
    assert (0, "create: 2\n", "") == (done.returncode, done.stdout, done.stderr)
    assert VALUES["db"] == fetched(client, "team/app/db")
    assert VALUES["smtp_v3"] == fetched(client, "team/app/mail/password")
    assert "canary" not in dry.stdout + done.stdout


def test_refuses_a_path_that_is_taken(run_import: Import, client: FlaskClient) -> None:
    """The exit code makes the task fail; the operator says what to do instead."""
    run_import("--existing", "refuse")

    again = run_import("--existing", "refuse")
    skipped = run_import("--existing", "skip")

    assert 2 == again.returncode
    assert "team/app/db: refuse" in again.stderr
    assert "canary" not in again.stderr
    assert (0, "skip, already exists: 2\n") == (skipped.returncode, skipped.stdout)
