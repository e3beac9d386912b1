"""The cluster and its failures, each story as a test: the scenarios of ``molecule/`` with three nodes.

By hand, ``molecule test -s NAME`` makes its own nodes.  Here the stories are told about one cluster.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.playbook import ROOT
from tests.lab.scenarios import TELLS, lab, tell
from tests.lab.test_roles import ROLES

STORIES = ["default", "failover", "deliveries"]
# Told by hand, with `molecule test -s NAME`: with them the whole run takes longer than it may.
BY_HAND = ["grow", "upgrade", "rotation", "disaster", "reboot"]

pytestmark = TELLS


@pytest.fixture(scope="module")
def three_nodes() -> Iterator[dict[str, str]]:
    """Three bare nodes, and how Molecule finds them."""
    with lab("default") as named:
        yield named


@pytest.mark.quick
def test_no_scenario_is_forgotten() -> None:
    """Every folder of molecule/ with a scenario is a role's or a story, or named as one that is not run."""
    scenarios = {file.parent.name for file in (ROOT / "molecule").glob("*/molecule.yml")}

    assert scenarios == {*ROLES, *STORIES, *BY_HAND}


@pytest.mark.parametrize("story", STORIES)
def test_story(three_nodes: dict[str, str], story: str, tmp_path: Path) -> None:
    """From bare machines to a cluster; then what happens to it."""
    whole = {} if story == STORIES[0] else {"LAB_CONVERGE": "../shared/whole.yml"}
    tell(story, tmp_path, **three_nodes, **whole)
