"""What an operator's bad day brings: killed containers, interrupted plays, lost keys, removed stacks."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cluster.conftest import API, DEPLOYS, MONGO, Cluster
from tests.cluster.playbook import ROOT, command, play, play_well

pytestmark = DEPLOYS


@pytest.mark.parametrize("service", [API, MONGO])
def test_a_killed_container_is_replaced(cluster: Cluster, service: str) -> None:
    """And the secret is there afterwards."""
    secret_id = cluster.create()
    cluster.container(service).kill("SIGKILL")
    time.sleep(2)
    cluster.wait_until_ready(120)

    assert "aGVsbG8=" == cluster.fetch(secret_id).json()["secret"]


def test_removing_the_stack_keeps_data_and_keys(cluster: Cluster) -> None:
    """teardown.yml, then site.yml: the same secrets as before."""
    secret_id = cluster.create()

    play_well("playbooks/teardown.yml")
    assert [] == cluster.engine.services.list()
    assert 0 == play_well("playbooks/teardown.yml").changed
    play_well("site.yml")

    assert "aGVsbG8=" == cluster.fetch(secret_id).json()["secret"]


def test_a_lost_key_stops_the_play_until_everything_may_go(cluster: Cluster, tmp_path: Path) -> None:
    """Data with no key: no new key is made.  Gone when that is asked for; then an interrupted first run.

    The new cluster's runs are as talkative as can be: neither key, nor password, nor token is in what
    they print.
    """
    secret_id, engine = cluster.create(), cluster.engine
    play_well("playbooks/teardown.yml")
    (key,) = engine.secrets.list(filters={"name": "master_key_v1"})
    key.remove()

    run = play("site.yml")

    assert run.code != 0
    assert "There is a database with data, but this Swarm has no master_key_v1" in " ".join(
        run.output.split()
    )
    assert [] == engine.secrets.list(filters={"name": "master_key_v1"})
    assert [] == engine.services.list()

    play_well("playbooks/teardown.yml", teardown_data_and_keys="true")

    assert [] == engine.secrets.list(filters={"label": "secret-manager.kind"})
    assert [] == [volume for volume in engine.volumes.list() if volume.name.startswith("secret-manager_")]
    assert not cluster.token_file.exists()

    said = interrupt("site.yml", tmp_path / "interrupted.log") + play_well("site.yml", "-vvv").output

    assert 404 == cluster.fetch(secret_id).status_code
    values = cluster.secret_values()
    passwords = {
        name: value.split(":")[2].split("@")[0] for name, value in values.items() if "mongodb://" in value
    }
    assert passwords
    token = {"token": cluster.token_file.read_text().strip()}
    assert [] == [name for name, value in (values | passwords | token).items() if value in said]
    assert "SWMTKN-" not in said


def interrupt(playbook: str, log: Path) -> str:
    """Run a playbook, kill it in the middle, and return what it had said."""
    with log.open("wb") as output:
        run = subprocess.Popen(
            command(playbook, "-vvv"),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # Whatever that meets on this machine; MongoDB, as a rule.
    time.sleep(15)
    assert run.poll() is None
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    return log.read_text()
