"""The checks that keep the code readable, run as tests; `pytest` leaves ansible-lint out, for its time."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import yaml_files

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
            "scripts/follow_secret.sh",
            "scripts/update_secret.sh",
            "scripts/list_secrets.sh",
            "scripts/delete_secret.sh",
            "scripts/api.sh",
            "roles/backup/files/secret-manager-backup",
            ".ci/run",
        ],
        ["yamllint", "--strict", "."],
        ["oxlint", "--deny-warnings", "service/api/console/static"],
        pytest.param(["ansible-lint", "--offline"], marks=pytest.mark.long_check),
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


@pytest.mark.quick
def test_no_task_has_a_secret_in_its_environment() -> None:
    """Ansible writes a task's environment into the command line of a shell, and shows that with -vvv."""
    files = [*ROOT.glob("roles/*/tasks/*.yml"), *ROOT.glob("playbooks/**/*.yml"), ROOT / "site.yml"]
    found = {name for file in files for name in _environments(yaml_files.load(file))}

    assert {"TMPDIR", "DOCKER_BUILDKIT", "ESCROW", "TRACE", "SINCE", "ENGINE_LOG"} == found


def _environments(node: Any) -> Iterator[str]:
    """Yield the names of all variables that the tasks below set; what is a template, as it is."""
    if isinstance(node, dict):
        environment = node.get("environment", {})
        yield from environment if isinstance(environment, dict) else [environment]
        for value in node.values():
            yield from _environments(value)
    elif isinstance(node, list):
        for value in node:
            yield from _environments(value)
