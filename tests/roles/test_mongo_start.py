"""The role `mongo`: how a member's mongod is started, with another program in its place."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import yaml_files
from tests.roles import ROOT

START = yaml_files.load(ROOT / "roles" / "mongo" / "vars" / "main.yml")["_mongo_start"]


@pytest.mark.parametrize("programs", [["cat", "setpriv"], ["cat"]], ids=" ".join)
def test_starts_with_and_without_setpriv(tmp_path: Path, programs: list[str]) -> None:
    """An image of one's own need not have util-linux; the limits hold in any case."""
    for program in programs:
        (tmp_path / program).symlink_to(Path(shutil.which(program) or "").resolve())

    started = subprocess.run(
        [shutil.which("bash") or "bash", "-c", START, "cat", "/proc/self/status", "/proc/self/limits"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    before = re.findall(r"NoNewPrivs:\s+(\d)", Path("/proc/self/status").read_text())
    assert (["1"] if "setpriv" in programs else before) == re.findall(r"NoNewPrivs:\s+(\d)", started)
    assert re.search(r"^Max core file size +0 +0 ", started, re.MULTILINE)
    assert int(re.findall(r"^Max processes +(\d+) ", started, re.MULTILINE)[0]) <= 16384
