"""Why a task does not start, on a real Swarm: for each cause, the words that lead to it.

Each cause is a service of its own; all of them are made at once, because each takes seconds to fail.
"""

import base64
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest

from tests.cluster.conftest import API, DEPLOYS, Cluster
from tests.cluster.playbook import ROOT, play

pytestmark = DEPLOYS

ENGINE_LOG = "/var/log/dockerd.log"
FOLDER = f"e-{os.urandom(4).hex()}"
DRIVER = "secret-manager"


@dataclass(frozen=True)
class Cause:
    """A service that does not start, and what is said about it; ``options`` are of docker service create."""

    name: str
    says: str
    code: int = 1
    version: str = "1"
    granted: bool = True
    options: tuple[str, ...] = ()
    image: str | None = None

    @property
    def path(self) -> str:
        """The path of its secret."""
        return f"{FOLDER}/{self.name}"

    @property
    def service(self) -> str:
        """The service's name."""
        return f"{FOLDER}-{self.name}"

    @property
    def docker_secret(self) -> str:
        """The name of its Docker secret."""
        return f"{self.service}.v{self.version}"


RUNS = Cause("runs", r"version 1 of \S+/runs, delivered at ", code=0)
CAUSES = (
    RUNS,
    Cause(
        "not-granted", r"python3 -m service grant create --service \S+-not-granted --path \S+", granted=False
    ),
    Cause("missing", "there is no secret "),
    Cause("version", "/version has no version 7", version="7"),
    Cause("deleted", "was deleted .*\n.*undelete"),
    # The database removes it some time after it has expired.
    Cause("expired", "has expired|there is no secret "),
    Cause("destroyed", "was destroyed"),
    Cause("limited", "has max_reads, and such a secret is never delivered"),
    Cause("labels", "secret-manager.version .* must be a number from 1, or current", version="one"),
    Cause(
        "node", "no suitable node .*\n.*nothing of the vault", options=("--constraint", "node.labels.no==1")
    ),
    Cause("image", "No such image: .*\n.*nothing of the vault", image="localhost/no-such:1"),
)


def docker(*arguments: str) -> str:
    """Run docker, and return what it prints."""
    run = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True, timeout=120)
    return run.stdout.strip()


def declare(cause: Cause) -> None:
    """Make the Docker secret."""
    labels = {"path": cause.path, "version": cause.version}.items()
    options = [part for label, text in labels for part in ("--label", f"secret-manager.{label}={text}")]
    docker("secret", "create", "--driver", DRIVER, *options, cause.docker_secret)


def start(cluster: Cluster, cause: Cause) -> None:
    """Make the service."""
    image = cause.image or cluster.spec(API)["TaskTemplate"]["ContainerSpec"]["Image"]
    docker(
        *("service", "create", "--detach", "--no-resolve-image", "--no-healthcheck", "--name", cause.service),
        *("--restart-delay", "1s", "--secret", f"source={cause.docker_secret},target=value", *cause.options),
        *(image, "sleep", "600"),
    )


def store(cluster: Cluster, cause: Cause) -> None:
    """Bring the vault into the state that the cause names."""

    def call(operation: str, **fields: object) -> None:
        answer = cluster.post(f"/vault/{operation}", fields)
        assert 200 == answer.status_code, answer.text

    if cause.granted:
        call("grant/create", services=[cause.service], paths=[cause.path])
    if cause.name != "missing":
        extra = {"expired": {"expires_in": 1}, "limited": {"max_reads": 2}}.get(cause.name, {})
        value = base64.b64encode(b"canary-explain").decode()
        call("secret/create/", secret=value, path=cause.path, **extra)
    if cause.name in {"deleted", "destroyed"}:
        call("secret/" + {"deleted": "delete", "destroyed": "destroy"}[cause.name], path=cause.path)


def remove(cluster: Cluster) -> None:
    """Remove all that was made, whatever there is of it."""
    for kind in ("service", "secret"):
        for name in docker(kind, "ls", "--quiet", "--filter", f"name={FOLDER}").split():
            with suppress(subprocess.CalledProcessError):
                docker(kind, "rm", name)
    for grant in cluster.post("/vault/grant/list", {}).json()["grants"]:
        if any(name.startswith(FOLDER) for name in grant["services"]):
            cluster.post("/vault/grant/delete", {"grant_id": grant["grant_id"]})
    for secret in cluster.post("/vault/secret/list", {"prefix": f"{FOLDER}/"}).json()["secrets"]:
        cluster.post("/vault/secret/destroy", {"secret_id": secret["secret_id"], "in_use": True})


def explain(cluster: Cluster, name: str) -> tuple[int, str]:
    """Run the command as it is typed on a manager."""
    run = subprocess.run(
        [
            *(sys.executable, "-m", "service", "explain", name, "--address", cluster.url, "--ca", cluster.ca),
            *("--token-file", str(cluster.token_file), "--driver-log", ENGINE_LOG),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return run.returncode, run.stdout + run.stderr


def wait_for(cluster: Cluster, name: str, code: int, says: str, seconds: float = 60) -> str:
    """Ask until it is said: a task takes its time to fail."""
    end = time.monotonic() + seconds
    said: tuple[int, str] = (-1, "")
    while time.monotonic() < end:
        said = explain(cluster, name)
        if said[0] == code and re.search(says, said[1]):
            assert "canary-explain" not in said[1]
            return said[1]
        time.sleep(1)
    raise AssertionError(f"not {code} {says!r}, but {said[0]}: {said[1]}")


def wait_until_gone(cluster: Cluster, service: str) -> None:
    """Wait until no container of the service runs."""
    end = time.monotonic() + 60
    while cluster.engine.containers.list(filters={"label": f"com.docker.swarm.service.name={service}"}):
        assert time.monotonic() < end, f"{service} runs still"
        time.sleep(0.5)


@pytest.fixture(scope="module")
def started(deployed: Cluster) -> Iterator[Cluster]:
    """A service for each cause."""
    try:
        for cause in CAUSES:
            store(deployed, cause)
        time.sleep(1.5)  # One of the secrets expires.
        for cause in CAUSES:
            declare(cause)
            start(deployed, cause)
        yield deployed
    finally:
        remove(deployed)


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.name)
def test_names_the_cause(started: Cluster, cause: Cause) -> None:
    """In words, and by the exit code."""
    wait_for(started, cause.service, cause.code, cause.says)


def test_the_line_that_it_prints_grants_it(started: Cluster) -> None:
    """As it stands, in a replica; the task starts, and the refusal of before is not told any more."""
    (cause,) = (each for each in CAUSES if not each.granted)
    line = re.search(r"python3 -m service grant create .*", explain(started, cause.service)[1])
    assert line is not None

    started.run(API, "sh", "-c", line[0])

    assert "no grant" not in wait_for(started, cause.service, 0, "delivered at ")


def test_explains_a_task_by_its_id(started: Cluster) -> None:
    """As docker service ps shows it."""
    task = docker("service", "ps", "--quiet", "--no-trunc", RUNS.service).split()[0]

    assert f"task {task} on" in wait_for(started, task, 0, RUNS.says)


def test_says_since_when_the_vault_is_not_reachable(started: Cluster) -> None:
    """And, once it is there again, what the task runs with."""
    away = Cause("away", r"the vault has not been reachable since \S+: vault not reachable")
    store(started, away)
    declare(away)
    replicas = started.spec(API)["Mode"]["Replicated"]["Replicas"]
    docker("service", "scale", "--detach", f"{API}=0")
    try:
        wait_until_gone(started, API)
        start(started, away)
        wait_for(started, away.service, 1, away.says)
    finally:
        docker("service", "scale", "--detach", f"{API}={replicas}")
        started.wait_until_ready(90)
    wait_for(started, away.service, 0, "delivered at ")


def test_says_that_the_driver_is_disabled(started: Cluster) -> None:
    """With the command that enables it."""
    disabled = Cause("disabled", "the driver secret-manager is disabled. There: docker plugin enable")
    store(started, disabled)
    # The engine makes none for a driver that is disabled.
    declare(disabled)
    docker("plugin", "disable", "--force", DRIVER)
    try:
        start(started, disabled)
        wait_for(started, disabled.service, 1, disabled.says)
    finally:
        docker("plugin", "enable", DRIVER)
    wait_for(started, disabled.service, 0, "delivered at ")


def test_the_playbook_says_the_same_and_leaves_nothing(started: Cluster) -> None:
    """No token, no file; a second run changes as little."""
    run = play("playbooks/explain_service.yml", "-vvv", service=RUNS.service)

    assert (0, 0) == (run.code, run.changed), run.output[-4000:]
    assert re.search(RUNS.says, " ".join(run.output.split()))
    tokens = started.run(API, "python3", "-m", "service", "token", "list").splitlines()
    own = [json.loads(line) for line in tokens if "explain_service.yml" in line]
    assert [] == [token for token in own if token["revoked_at"] is None]
    assert not re.search("smt_[0-9a-f]{16}_[0-9a-zA-Z]", run.output)
