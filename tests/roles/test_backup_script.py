"""roles/backup's script: what the timer runs, with the real service in the place of the container."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database

from tests.calls import ask
from tests.gunicorn_server import ROOT

SCRIPT = ROOT / "roles/backup/files/secret-manager-backup"
# `docker exec` runs the command here: there is no container in these tests.
DOCKER = """\
#!/bin/bash
if [ "$1" = ps ]; then echo container; exit; fi
shift
[ "$1" != --interactive ] || shift
shift
exec "$@"
"""


@pytest.fixture
def variables(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The variables of the script, whose `docker` is the one above."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/docker").write_text(DOCKER)
    (tmp_path / "bin/docker").chmod(0o755)
    (tmp_path / "backups").mkdir()
    return {
        **environment,
        "PATH": f"{tmp_path / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "BACKUP_FOLDER": str(tmp_path / "backups"),
        "BACKUP_DRILL": "true",
    }


def run(variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Do what the timer does."""
    return subprocess.run(
        ["bash", SCRIPT, "scheduled"], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )


def test_a_log_that_was_put_back_between_two_backups_is_found(
    variables: dict[str, str], client: FlaskClient, database: Database
) -> None:
    """The new backup agrees with the log; the manifest of the one before does not."""
    ask(client, "create/", secret="YQ==", path="a")
    # Before the first one there is no checkpoint, and so none in its manifest.
    for _ in range(2):
        before = run(variables)
        assert 0 == before.returncode, before.stderr
    assert '"kind": "given"' in before.stdout
    database.audit_logs.delete_many({})
    database.audit_checkpoints.delete_many({})

    after = run(variables)

    assert 1 == after.returncode, after.stderr
    assert "; 0 do not open" in after.stderr
    assert '"fine": false' in after.stdout
