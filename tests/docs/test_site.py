"""The documentation as a site."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT


@pytest.mark.check
def test_builds_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    """Fonts, scripts and the search index are in the folder."""
    finished = subprocess.run(
        [Path(sys.executable).parent / "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == finished.returncode, finished.stderr
    assert (tmp_path / "search" / "search_index.js").exists()
    loaded = re.compile(r"""<(?:script|link|img)[^>]+(?:src|href)="?(https?:)?//""")
    assert [] == [page.name for page in tmp_path.rglob("*.html") if loaded.search(page.read_text())]
