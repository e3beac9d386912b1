"""The role swarm_secrets refuses mistakes before it asks a manager or the API."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.playbook import ROOT, play

WEB = {"name": "app_web"}


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({}, "swarm_secrets_wanted is invalid: it is empty; name a secret"),
        (
            {"swarm_secrets_wanted": [{"path": "a/b", "services": [WEB | {"mode": 292}]}]},
            "the mode 292 of app_web is not four octal digits in quotes",
        ),
        ({"swarm_secrets_wanted": [{"path": "a/b", "service": [WEB]}]}, "service"),
        (
            {"swarm_secrets_wanted": [{"path": "a/b"}], "swarm_secrets_token_file": "token"},
            "swarm_secrets_token_file is token: it must be the absolute path of a file",
        ),
    ],
)
def test_refuses_mistakes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, Any], says: str
) -> None:
    """With a word on what to write, and nothing changed."""
    monkeypatch.setenv("ANSIBLE_ROLES_PATH", str(ROOT / "roles"))
    playbook = tmp_path / "play.yml"
    playbook.write_text(
        yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "roles": ["swarm_secrets"]}])
    )

    run = play(str(playbook), "-i", "localhost,", "-e", json.dumps(variables))

    assert run.code != 0
    assert says in " ".join(run.output.split())
    assert "Ask the manager" not in run.output
