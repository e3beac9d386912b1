"""The engine of this machine dies.  Told last, as it must wait until nobody else has containers on it."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests import engine
from tests.cluster.conftest import Cluster
from tests.cluster.playbook import play_well


@pytest.mark.timeout(5400)
def test_a_killed_engine_brings_everything_back_once_it_runs(cluster: Cluster) -> None:
    """kill -9 of the engine; started again, the stack comes back by itself, data and key intact."""
    with engine.to_be_killed():
        # Only now: while this waited, other tests may have made the cluster again, with no secret.
        cluster.wait_until_ready(180)
        secret_id = cluster.create()
        pid = int(Path("/run/docker.pid").read_text())
        os.kill(pid, signal.SIGKILL)
        end = time.monotonic() + 30
        while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
            time.sleep(0.1)

        # Only the engine is started again, by the role whose job that is.
        play_well("playbooks/nodes.yml")
        cluster.wait_until_ready(180)

    assert "aGVsbG8=" == cluster.fetch(secret_id).json()["secret"]
