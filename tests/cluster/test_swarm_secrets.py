"""Secrets of the Swarm, which only a task that mounts them can read, become secrets of the service."""

import base64
import os
import subprocess
from collections.abc import Iterator

import docker.errors
import pytest

from tests.cluster.conftest import API, DEPLOYS, Cluster
from tests.cluster.playbook import Run, play

pytestmark = DEPLOYS

PLAYBOOK = "playbooks/import_swarm_secrets.yml"
VALUES = {"lab_db_v3": b"canary-one\n", "lab_bytes": b"canary-two \x00\xff"}


@pytest.fixture
def folder(cluster: Cluster) -> Iterator[str]:
    """A folder of the service's with nothing in it, while the Swarm has the secrets."""
    made = [cluster.engine.secrets.create(name=name, data=value) for name, value in VALUES.items()]
    yield f"swarm/{os.urandom(4).hex()}"
    for secret in made:
        secret.remove()


def import_secrets(secrets: str, folder: str, **variables: object) -> Run:
    """Run the playbook as an operator who wants to see everything; no value may be among it."""
    run = play(PLAYBOOK, "-vvv", secrets=secrets, prefix=folder, **variables)
    for value in VALUES.values():
        assert value.split()[0].decode() not in run.output
        assert base64.b64encode(value).decode() not in run.output
    return run


def said(run: Run) -> str:
    """Return the output without its line breaks, which are where the terminal ends."""
    return " ".join(run.output.split())


def paths(cluster: Cluster, folder: str) -> list[str]:
    """List the secrets in the folder."""
    listed = cluster.post("/vault/secret/list", {"prefix": f"{folder}/"}).json()["secrets"]
    return [secret["path"] for secret in listed]


def value(cluster: Cluster, path: str) -> bytes:
    """Fetch a value."""
    return base64.b64decode(cluster.post("/vault/secret/fetch", {"path": path}).json()["secret"])


def test_imports_what_nobody_can_read(cluster: Cluster, folder: str) -> None:
    """First for a trial; then byte for byte; a second time only if told so. Nothing keeps running."""
    named, task = "lab_db_v3:db/password,lab_bytes", cluster.task(API)

    dry = import_secrets(named, folder, dry_run=True)
    assert (0, 0) == (dry.code, dry.changed), dry.output[-4000:]
    assert f"{folder}/db/password: create" in said(dry)
    assert [] == paths(cluster, folder)

    done = import_secrets(named, folder)
    assert (0, 1) == (done.code, done.changed), done.output[-4000:]
    assert "create: 2" in said(done)
    assert VALUES["lab_db_v3"] == value(cluster, f"{folder}/db/password")
    assert VALUES["lab_bytes"] == value(cluster, f"{folder}/lab_bytes")

    again = import_secrets(named, folder)
    assert again.code != 0
    assert f"{folder}/db/password: refuse: another secret has this path" in said(again)
    skipped = import_secrets(named, folder, existing="skip")
    assert (0, 0) == (skipped.code, skipped.changed), skipped.output[-4000:]

    with pytest.raises(docker.errors.NotFound):
        cluster.engine.services.get("secret-manager_import")
    assert task == cluster.task(API)


def test_records_each_of_them_as_the_operators(cluster: Cluster, folder: str) -> None:
    """With the path, as everything that a command does."""
    import_secrets("lab_bytes", folder)

    recorded = cluster.python(
        f"found = client.vault.audit_logs.find({{'path': '{folder}/lab_bytes'}})\n"
        "print(json.dumps([[record['operation'], record['actor'], record['status']] for record in found]))"
    )
    assert [["import", "operator", "success"]] == recorded


@pytest.mark.parametrize(
    ("secrets", "says"),
    [
        ("lab_bytes,missing", "The Swarm has no secret missing: name those that docker secret ls shows."),
        ("lab_bytes,master_key_v1", "master_key_v1 belongs to the secret manager itself"),
        ("lab_bytes,lab_bytes", "lab_bytes is named twice"),
        ("lab_bytes:/absolute", "path: a path is segments of"),
    ],
)
def test_refuses_and_leaves_nothing_behind(cluster: Cluster, folder: str, secrets: str, says: str) -> None:
    """What is not there, what is the secret manager's own, what is no path."""
    refused = import_secrets(secrets, folder)

    assert refused.code != 0
    assert says in refused.output
    assert [] == paths(cluster, folder)
    services = subprocess.run(["docker", "service", "ls"], capture_output=True, text=True, check=True).stdout
    assert "secret-manager_import" not in services
