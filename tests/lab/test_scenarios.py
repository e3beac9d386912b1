"""Scenarios of ``molecule/``, each as a test: every role, and the cluster with its failures.

By hand, ``molecule test -s NAME`` makes its own nodes.  Here those of one kind share theirs: the
roles build on each other on one node, the stories are told about one cluster.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.conftest import DEPLOYS, skip_where_no_cluster_may_be
from tests.cluster.playbook import ROOT

# In the order in which they build on each other.
ROLES = [
    "docker_engine",
    "swarm",
    "images",
    "certificates",
    "master_key",
    "mongo",
    "ttl_indexes",
    "vault_api",
    "vault_secrets",
]
STORIES = ["default", "failover"]
# Told by hand, with `molecule test -s NAME`: with them the whole run takes longer than it may.
BY_HAND = ["grow", "upgrade"]
BIN = Path(sys.executable).parent

pytestmark = DEPLOYS


def molecule(*arguments: str) -> None:
    """Run Molecule, which must succeed."""
    finished = subprocess.run(
        [BIN / "molecule", *arguments],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert 0 == finished.returncode, finished.stdout[-20_000:]
    # A playbook that is not there is passed over with success.
    assert "missing playbook" not in finished.stdout.lower()


@pytest.fixture(scope="module")
def may_run() -> None:
    """The lab needs what a cluster needs."""
    skip_where_no_cluster_may_be()


@pytest.fixture(scope="module")
def one_node(may_run: None) -> Iterator[None]:
    """A bare node, for the roles."""
    molecule("destroy", "-s", "docker_engine")
    yield
    molecule("destroy", "-s", "docker_engine")


@pytest.fixture(scope="module")
def three_nodes(may_run: None) -> Iterator[None]:
    """Three bare nodes, for the stories."""
    molecule("destroy", "-s", "default")
    yield
    molecule("destroy", "-s", "default")


def test_no_scenario_is_forgotten() -> None:
    """Every folder of molecule/ with a scenario is run below, or named as one that is not."""
    scenarios = {file.parent.name for file in (ROOT / "molecule").glob("*/molecule.yml")}

    assert scenarios == {*ROLES, *STORIES, *BY_HAND}


@pytest.mark.parametrize("role", ROLES)
def test_role(one_node: None, role: str) -> None:
    """Applied, applied again, asked what it would change, looked at."""
    molecule("reset", "-s", role)
    molecule("test", "-s", role, "--destroy=never")


@pytest.mark.parametrize("story", STORIES)
def test_story(three_nodes: None, story: str) -> None:
    """From bare machines to a cluster; then what happens to it."""
    molecule("reset", "-s", story)
    molecule("test", "-s", story, "--destroy=never")
