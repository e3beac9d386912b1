"""The role `images`: what is built and loaded is what was packed and saved."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import yaml_files
from tests.roles import ROOT
from tests.roles.test_specs import nodes

TASKS = ROOT / "roles" / "images" / "tasks"
CONTEXT = ROOT / "roles" / "images" / "files" / "context.py"


def test_packing_says_what_digest_the_archive_has(tmp_path: Path) -> None:
    """By which the node recognizes it."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("content")

    archive = tmp_path / "context.tar"
    said = subprocess.run(
        [sys.executable, CONTEXT, "pack", archive, tmp_path / "folder"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert hashlib.sha256(archive.read_bytes()).hexdigest() == said


@pytest.mark.parametrize(("file", "command"), [("image.yml", "docker build"), ("load.yml", "docker load")])
def test_an_archive_that_was_changed_is_neither_built_nor_loaded(
    tmp_path: Path, file: str, command: str
) -> None:
    """The role's own line of shell, with an echo in docker's place: it must not come so far."""
    (line,) = (
        task["ansible.builtin.shell"]["cmd"]
        for task in nodes(yaml_files.load(TASKS / file))
        if command in str(task.get("ansible.builtin.shell", {}).get("cmd", ""))
    )
    (archive,) = set(re.findall(r"\S+\.tar(?:\.gz)?", line))
    (tmp_path / archive).write_bytes(b"as it was packed")
    digest = hashlib.sha256(b"as it was packed").hexdigest()
    script = re.sub(r"\{\{ __images_(packed|saved_digest)\.stdout \}\}", digest, line).replace(
        "docker", "echo"
    )

    assert command.split()[1] in run(script, tmp_path).stdout
    (tmp_path / archive).write_bytes(b"changed since")
    refused = run(script, tmp_path)
    assert 0 != refused.returncode
    assert f"{archive}: FAILED" in refused.stdout
    assert command.split()[1] not in refused.stdout


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a shell's script in a folder."""
    return subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False)
