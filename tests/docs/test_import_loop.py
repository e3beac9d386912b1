"""The loop over many secrets of Vault that the page about imports has, with stand-ins for vault and docker.

Real ones cannot be made to fail at one secret of several.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.docs.pages import DOCS

PAGE = DOCS / "how-to" / "secrets" / "import.md"
# The last argument is the path or the prefix; what is named in $FAILS fails.
PROGRAM = """#!/bin/sh
for last in "$@"; do :; done
case $FAILS in *"$(basename "$0") $last,"*) exit 3 ;; esac
"""
VAULT = PROGRAM + """echo "{\\"data\\": {\\"of\\": \\"$last\\"}}"\n"""
DOCKER = PROGRAM + 'echo "$last $(cat)" >> "$IMPORTED"\n'


@pytest.fixture
def imported(tmp_path: Path) -> Path:
    """The file into which the docker writes; it and the vault are beside it."""
    for name, text in (("vault", VAULT), ("docker", DOCKER)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    file = tmp_path / "imported"
    file.touch()
    return file


def loop(shell: str, imported: Path, fails: str) -> tuple[int, list[str]]:
    """Run the page's loop, and return its exit code and the prefixes and documents that were imported."""
    (text,) = (
        block
        for block in re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
        if "for path in" in block
    )
    environment = {
        "PATH": f"{imported.parent}:{os.environ['PATH']}",
        "IMPORTED": str(imported),
        "FAILS": fails,
        "api": "x",
    }
    code = subprocess.run([shell, "-c", text], env=environment, check=False, timeout=30).returncode
    return code, imported.read_text().splitlines()


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize(
    ("fails", "code", "paths"),
    [
        ("", 0, ["app/db", "app/mail"]),
        ("vault secret/app/db,", 3, []),
        ("vault secret/app/mail,", 3, ["app/db"]),
        ("docker team/app/db,", 3, []),
    ],
)
def test_notices_a_failure(imported: Path, shell: str, fails: str, code: int, paths: list[str]) -> None:
    """Of the read as well as of the import; nothing is taken for a secret that was not read."""
    expected = [f'team/{path} {{"data": {{"of": "secret/{path}"}}}}' for path in paths]

    assert (code, expected) == loop(shell, imported, fails)
