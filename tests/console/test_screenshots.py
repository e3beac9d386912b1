"""The pictures of the documentation are made by a command, from a service of its own."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from docs.generate import ASSETS, ROOT
from tests.console.chromium import CHROMIUM, NO_CHROMIUM

NAMES = {"secrets-light.png", "secret-dark.png", "share-light.png", "audit-dark.png"}
MAX_BYTES = 150_000


@pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)
def test_takes_the_pictures(tmp_path: Path) -> None:
    """Those that the documentation has, of the same size, and small."""
    subprocess.run([sys.executable, "-m", "docs.screenshots", str(tmp_path)], cwd=ROOT, check=True)

    assert NAMES == {file.name for file in tmp_path.iterdir()}
    assert NAMES == {file.name for file in (ASSETS / "console").iterdir()}
    for file in (*tmp_path.iterdir(), *(ASSETS / "console").iterdir()):
        assert (1280, 800) == struct.unpack(">II", file.read_bytes()[16:24]), file
        assert MAX_BYTES > file.stat().st_size, file
