"""node-vault, from npm, with the script beside this."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.gunicorn_server import Server
from tests.node_packages import node_with

SCRIPT = Path(__file__).with_name("node_vault.js")


def test_node_vault(
    door: Server, give: Callable[..., str], make_role: Callable[..., tuple[str, str]]
) -> None:
    """Statuses other than 200 and 204 are errors to it, and it shows the first text of one."""
    actions = ("fetch", "create", "update", "list", "delete")
    token = give("token", *(f"{action}:team/*" for action in actions), expires_in=600, renewable=True)
    role_id, secret_id = make_role("ci", "fetch:team/*")
    finished = subprocess.run(
        [node_with("node-vault"), SCRIPT],
        env={
            **os.environ,
            "VAULT_ADDR": door.url,
            "VAULT_TOKEN": token,
            "ROLE_ID": role_id,
            "SECRET_ID": secret_id,
            "NODE_EXTRA_CA_CERTS": str(door.verify),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert 0 == finished.returncode, finished.stderr
    assert {
        "health": True,
        "initialized": True,
        "sealed": False,
        "lookup": "service",
        "renewed": True,
        "written": 1,
        "read": [{"user": "a", "password": "new"}, 2],
        "older": {"user": "a", "password": "old"},
        "listed": ["app"],
        "listedByQuery": ["app"],
        "metadata": {"owner": "team"},
        "deleted": "",
        "gone": {"message": "Status 404", "status": 404},
        "restored": 2,
        "lost": {"message": "check-and-set parameter did not match the current version", "status": 400},
        "absent": {"message": "Status 404", "status": 404},
        "forbidden": {"message": "permission denied", "status": 403},
        "made": ["fetch:team/*"],
        "unwrapped": {"password": "wrapped"},
        "unwrappedAgain": {"message": "wrapping token is not valid or does not exist", "status": 400},
        "byLogin": {"password": "wrapped"},
        "denied": {"message": "permission denied", "status": 403},
    } == json.loads(finished.stdout)
