"""Runs Molecule as somebody at a shell does."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import engine
from tests.cluster.playbook import ROOT

# Each of them takes minutes, and the machine does other things beside.
TELLS = pytest.mark.timeout(3600)
BIN = Path(sys.executable).parent
# A lab that somebody has made by hand has other names and addresses, and stays.
OWN_LABS = {
    "docker_engine": {"LAB_NAME": "secret-manager-tests-node", "LAB_NETWORK": "10.213.88"},
    "default": {"LAB_NAME": "secret-manager-tests-lab", "LAB_NETWORK": "10.213.87"},
}


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
def lab(scenario: str) -> Iterator[dict[str, str]]:
    """Have the bare nodes of a scenario, for as long as others with the same nodes are told too.

    Returns the variables by which Molecule finds them.  Whether they may be here, tests/conftest.py has
    asked before the first test.
    """
    named = OWN_LABS[scenario]
    with engine.needed():
        molecule("destroy", "-s", scenario, **named)
        with engine.being_set_up():
            molecule("create", "-s", scenario, **named)
        yield named
        molecule("destroy", "-s", scenario, **named)


def tell(scenario: str, state: Path, **variables: str) -> None:
    """Tell a scenario on the nodes that there are, from its beginning; ``state`` is an empty folder."""
    variables["MOLECULE_EPHEMERAL_DIRECTORY"] = str(state)
    output = molecule("test", "-s", scenario, "--destroy=never", **variables)
    # A playbook that is not there is passed over with success.
    assert "missing playbook" not in output.lower()
