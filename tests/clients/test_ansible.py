"""community.hashi_vault from the package ansible: its modules and lookups, in the playbook beside this."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.playbook import play_well
from tests.gunicorn_server import Server

PLAYBOOK = Path(__file__).with_name("ansible.yml")
# What a role for a folder usually gets.
ACTIONS = ("fetch", "create", "update", "list", "delete")


def test_modules_and_lookups(
    door: Server,
    give: Callable[..., str],
    make_role: Callable[..., tuple[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The playbook asserts; nothing that it writes is in its output."""
    monkeypatch.setenv("VAULT_ADDR", door.url)
    monkeypatch.setenv("VAULT_CACERT", str(door.verify))
    monkeypatch.setenv("VAULT_TOKEN", give("token", *(f"{action}:team/*" for action in ACTIONS)))
    role_id, secret_id = make_role("ci", "fetch:team/*")
    monkeypatch.setenv("ROLE_ID", role_id)
    monkeypatch.setenv("SECRET_ID", secret_id)
    monkeypatch.setenv("HOME", str(tmp_path))

    run = play_well(str(PLAYBOOK), "-i", "localhost,")

    # It calls each write to any path a change, and each delete.
    assert (0, 9) == (run.failed, run.changed)
    for value in ("hunter2", "hunter3", secret_id):
        assert value not in run.output
