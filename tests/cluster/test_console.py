"""The console of the deployed cluster, over TLS with its own CA, as somebody at work sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.conftest import API, DEPLOYS, PORT, Cluster
from tests.console import tour
from tests.console.chromium import CHROMIUM, NO_CHROMIUM

pytestmark = [
    DEPLOYS,
    pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM),
]


def test_works_over_tls_and_through_a_restart(cluster: Cluster, tmp_path: Path) -> None:
    """Each tour works, or its page says what happened; the last one works."""
    token = cluster.token_file.read_text().strip()
    done = tmp_path / "done"
    went = []
    for name, shown in tour.tours([f"127.0.0.1:{PORT}"], Path(cluster.ca), token, 180, done):
        assert name != "wrong", shown
        went.append(name)
        service = cluster.engine.services.get(API)
        if len(went) == 1:
            service.force_update()
        elif name == "worked" and service.attrs["UpdateStatus"]["State"] == "completed":
            done.touch()

    assert ("worked", "worked") == (went[0], went[-1]), went
    assert done.exists(), went
