"""The checks that keep the code readable, run as tests so that one command runs everything."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        ["mypy"],
        ["lint-imports"],
        [
            "shellcheck",
            "--external-sources",
            "scripts/create_secret.sh",
            "scripts/fetch_secret.sh",
            "scripts/update_secret.sh",
            "scripts/list_secrets.sh",
            "scripts/delete_secret.sh",
            "scripts/api.sh",
            "roles/backup/files/secret-manager-backup",
            ".ci/run",
        ],
        ["yamllint", "--strict", "."],
        ["ansible-lint", "--offline"],
    ],
    ids=" ".join,
)
def test_is_clean(command: list[str]) -> None:
    """No finding; the output is shown where there is one."""
    finished = subprocess.run(
        [BIN / command[0], *command[1:]],
        cwd=ROOT,
        # ansible-lint calls ansible-playbook by its name.
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == finished.returncode, finished.stdout + finished.stderr
