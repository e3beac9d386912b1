"""Runs Molecule as somebody at a shell does."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import engine
from tests.cluster.conftest import skip_where_no_cluster_may_be
from tests.cluster.playbook import ROOT

# Each of them takes minutes, and the machine does other things beside.
TELLS = pytest.mark.timeout(3600)
BIN = Path(sys.executable).parent


def molecule(*arguments: str, **variables: str) -> str:
    """Run Molecule, which must succeed, and return what it prints."""
    finished = subprocess.run(
        [BIN / "molecule", *arguments],
        cwd=ROOT,
        env={**os.environ, **variables, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert 0 == finished.returncode, finished.stdout[-20_000:]
    return finished.stdout


@contextmanager
def lab(scenario: str) -> Iterator[None]:
    """Have the bare nodes of a scenario, for as long as others with the same nodes are told too."""
    skip_where_no_cluster_may_be()
    with engine.needed():
        molecule("destroy", "-s", scenario)
        with engine.being_set_up():
            molecule("create", "-s", scenario)
        yield
        molecule("destroy", "-s", scenario)


def tell(scenario: str, **variables: str) -> None:
    """Tell a scenario on the nodes that there are, from its beginning."""
    molecule("reset", "-s", scenario)
    output = molecule("test", "-s", scenario, "--destroy=never", **variables)
    # A playbook that is not there is passed over with success.
    assert "missing playbook" not in output.lower()
