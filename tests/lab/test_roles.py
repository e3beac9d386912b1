"""Every role, each as a test: the scenarios of ``molecule/`` with one node.

By hand, ``molecule test -s NAME`` makes its own node.  Here the roles build on each other on one.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.scenarios import TELLS, lab, tell

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
    "backup",
    "vault_secrets",
    "secret_driver",
    "swarm_secrets",
]

pytestmark = TELLS


@pytest.fixture(scope="module")
def one_node() -> Iterator[dict[str, str]]:
    """A bare node, and how Molecule finds it."""
    with lab("docker_engine") as named:
        yield named


@pytest.mark.parametrize("role", ROLES)
def test_role(one_node: dict[str, str], role: str, tmp_path: Path) -> None:
    """Applied, applied again, looked at."""
    tell(role, tmp_path, LAB_SKIP_TAGS="prerequisite", **one_node)
