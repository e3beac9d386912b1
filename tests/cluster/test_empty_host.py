"""Check mode on a machine that has nothing: a container with Debian and Python, and no engine."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker.models.containers import Container

from tests.cluster.conftest import DEPLOYS, Cluster
from tests.cluster.playbook import play

pytestmark = DEPLOYS


@pytest.fixture
def empty_host(cluster: Cluster) -> Iterator[Container]:
    """A container of the base image that site.yml has made."""
    (base, *_) = [
        tag
        for image in cluster.engine.images.list()
        for tag in image.tags
        if tag.startswith("localhost/secret-manager/base:")
    ]
    container = cluster.engine.containers.run(base, ["sleep", "600"], detach=True, init=True)
    yield container
    container.remove(force=True)


def inventory(tmp_path: Path, container: Container) -> str:
    """Return an inventory in which that container is the whole cluster."""
    group = {"hosts": {"empty": {}}}
    file = tmp_path / "hosts.json"
    file.write_text(
        json.dumps(
            {
                "all": {
                    "hosts": {
                        "empty": {
                            "ansible_connection": "community.docker.docker",
                            "ansible_host": container.name,
                            "ansible_python_interpreter": "/usr/bin/python3",
                            "ansible_become": False,
                            "swarm_advertise_addr": "192.0.2.1",
                        }
                    },
                    "children": {
                        "managers": group,
                        "workers": {},
                        "mongo_members": group,
                        "api_nodes": group,
                    },
                }
            }
        )
    )
    return str(file)


def test_check_mode_fails_nowhere_and_changes_nothing(empty_host: Container, tmp_path: Path) -> None:
    """It foretells what it can and says where it cannot go on."""
    before = empty_host.diff()

    run = play("site.yml", "-i", inventory(tmp_path, empty_host), "--check")

    assert run.code == 0, run.output[-6000:]
    assert 0 == run.failed
    assert "no engine yet" in run.output
    changed = {entry["Path"] for entry in empty_host.diff() or []} - {entry["Path"] for entry in before or []}
    assert [] == sorted(path for path in changed if path.startswith(("/etc", "/usr", "/var/lib/docker")))


def test_refuses_a_distribution_it_does_not_know(empty_host: Container, tmp_path: Path) -> None:
    """And says what would do instead."""
    empty_host.exec_run(["sh", "-c", "echo 'ID=nixos\nVERSION_CODENAME=uakari' > /etc/os-release"])

    run = play("playbooks/nodes.yml", "-i", inventory(tmp_path, empty_host))

    assert run.code != 0
    assert "found nixos uakari" in " ".join(run.output.split())


def test_refuses_a_machine_that_is_too_small(empty_host: Container, tmp_path: Path) -> None:
    """With what there is and what it takes."""
    run = play(
        "playbooks/nodes.yml", "-i", inventory(tmp_path, empty_host), docker_engine_min_memory_mb=99_000_000
    )

    assert run.code != 0
    assert "need 99000000 MiB of memory" in " ".join(run.output.split())
