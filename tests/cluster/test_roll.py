"""``roll``: services get another version of a secret through the driver, or keep the one that they have."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import docker
import pytest

from service.swarm.objects import DRIVER
from tests.cluster.conftest import API, DEPLOYS, Cluster
from tests.cluster.playbook import ROOT

pytestmark = DEPLOYS

NAME = "roll-test"
# Of what a health check of the services accepts.
GOOD, BAD = "good", "bad"


def docker_cli(*arguments: str) -> str:
    """Return what docker prints."""
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout.strip()


class Stage:
    """A secret, and services that have it in the file ``/run/secrets/password``."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.name = f"{NAME}-{time.time_ns() % 10**9}"
        self.path = f"{self.name}/password"
        self.image = cluster.spec(API)["TaskTemplate"]["ContainerSpec"]["Image"]
        self._store("/vault/secret/create/", f"{GOOD}-1")
        granted = cluster.post("/vault/grant/create", {"services": [f"{self.name}*"], "paths": [self.path]})
        assert 200 == granted.status_code, granted.text
        self.grant_id = granted.json()["grant_id"]
        self.declare(1)

    def _store(self, call: str, value: str) -> int:
        secret = base64.b64encode(value.encode()).decode()
        stored = self.cluster.post(call, {"path": self.path, "secret": secret})
        assert 200 == stored.status_code, stored.text
        return int(stored.json()["version"])

    def add_version(self, value: str) -> int:
        """Store a new value, and return its version."""
        return self._store("/vault/secret/update", value)

    def declare(self, version: int | str) -> None:
        """Create the Docker secret of a version."""
        labels = (f"{DRIVER}.path={self.path}", f"{DRIVER}.version={version}")
        flags = [word for label in labels for word in ("--label", label)]
        docker_cli("secret", "create", "--driver", DRIVER, *flags, f"{self.name}.v{version}")

    def serve(self, suffix: str, *options: str, version: int | str = 1) -> str:
        """Start a service whose health check accepts only good values, and return its name."""
        name = f"{self.name}-{suffix}"
        health = (
            *("--health-cmd", f"grep -q ^{GOOD} /run/secrets/password", "--health-interval", "1s"),
            *("--health-retries", "2", "--health-start-period", "1s"),
        )
        docker_cli(
            *("service", "create", "--detach", "--quiet", "--name", name, "--entrypoint", "sleep"),
            *("--secret", f"source={self.name}.v{version},target=password,mode=0440,uid=65534,gid=0"),
            *("--user", "65534:0", "--stop-grace-period", "0s"),
            *(() if "--no-healthcheck" in options else health),
            *("--update-failure-action", "rollback", "--update-order", "start-first"),
            *("--update-monitor", "2s"),
            *("--rollback-monitor", "1s", "--restart-delay", "1s", *options, self.image, "3600"),
        )
        self._wait_until_running(name)
        return name

    def _wait_until_running(self, service: str) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            found = self.cluster.engine.services.get(service)
            wanted = found.attrs["Spec"]["Mode"]["Replicated"].get("Replicas", 1)
            running = [task for task in found.tasks() if task["Status"]["State"] == "running"]
            if len(running) == wanted:
                return
            time.sleep(0.3)
        raise AssertionError(f"{service} does not run")

    def command(self, *options: str) -> list[str]:
        """Return the command that rolls."""
        return [
            *(sys.executable, "-m", "service", "roll", self.path, "--address", self.cluster.url),
            *("--ca", self.cluster.ca, "--token-file", str(self.cluster.token_file), *options),
        ]

    def roll(self, *options: str) -> tuple[int, str]:
        """Roll, and return the exit code and the output."""
        ended = subprocess.run(
            self.command(*options), cwd=ROOT, capture_output=True, text=True, timeout=200, check=False
        )
        output = ended.stdout + ended.stderr
        assert "Traceback" not in output, output
        assert f"{GOOD}-" not in output, "a value is in the output"
        return ended.returncode, output

    def file(self, service: str) -> str:
        """Return what a running container of the service has in its file."""
        label = f"com.docker.swarm.service.name={service}"
        container = self.cluster.engine.containers.list(filters={"label": label})[0]
        code, output = container.exec_run(["cat", "/run/secrets/password"])
        assert code == 0, output
        return str(output.decode())

    def objects(self) -> set[str]:
        """Return the names of the Docker secrets."""
        names = docker_cli("secret", "ls", "--format", "{{.Name}}").splitlines()
        return {name.removeprefix(f"{self.name}.") for name in names if name.startswith(f"{self.name}.")}

    def state(self) -> list[Any]:
        """Return all that a roll may change."""
        services = self.cluster.engine.services.list(filters={"name": self.name})
        return sorted((each.attrs["Version"]["Index"], each.name) for each in services) + sorted(
            self.objects()
        )

    def clear(self) -> None:
        """Remove everything."""
        for service in self.cluster.engine.services.list(filters={"name": self.name}):
            service.remove()
        for secret in self.cluster.engine.secrets.list(filters={"name": self.name}):
            with suppress(docker.errors.APIError):
                secret.remove()
        self.cluster.post("/vault/grant/delete", {"grant_id": self.grant_id})
        self.cluster.post("/vault/secret/destroy", {"path": self.path, "in_use": True})


@pytest.fixture
def stage(cluster: Cluster) -> Iterator[Stage]:
    """A secret with one version, which services of this name may have, and its Docker secret."""
    stage = Stage(cluster)
    yield stage
    stage.clear()


def test_rolls_a_good_value_and_nothing_else(stage: Stage) -> None:
    """Each service has it in the same file; the object of the version before stays for a rollback."""
    web, job = stage.serve("web", "--replicas", "2"), stage.serve("job", "--update-order", "stop-first")
    before = stage.cluster.spec(web)
    stage.add_version(f"{GOOD}-2")

    dry = stage.state()
    code, output = stage.roll("--dry-run")
    assert (0, dry) == (code, stage.state()), output

    code, output = stage.roll()

    assert code == 0, output
    assert {f"{GOOD}-2"} == {stage.file(web), stage.file(job)}
    assert f"{web}: runs with version 2, tasks: 2" in output
    assert {"v1", "v2"} == stage.objects()
    (reference,) = before["TaskTemplate"]["ContainerSpec"]["Secrets"]
    after = stage.cluster.spec(web)
    (changed,) = after["TaskTemplate"]["ContainerSpec"]["Secrets"]
    assert f"{stage.name}.v2" == changed["SecretName"]
    reference.update(SecretID=changed["SecretID"], SecretName=changed["SecretName"])
    assert before == after

    code, output = stage.roll()
    assert (0, True) == (code, "every service has version 2 already" in output), output

    code, output = stage.roll("--generate", "--length", "20", "--alphabet", "hex", "--all-or-nothing")
    # What is generated is no value that the health check accepts: Swarm brings version 2 back.
    assert code == 3, output
    assert f"{GOOD}-2" == stage.file(web)
    assert {"v1", "v2", "v3"} == stage.objects()

    stage.add_version(f"{GOOD}-4")
    code, output = stage.roll()
    assert code == 0, output
    assert {"v2", "v4"} == stage.objects() - {"v3"}, output


@pytest.mark.parametrize("order", ["start-first", "stop-first"])
def test_swarm_brings_the_old_value_back(stage: Stage, order: str) -> None:
    """The tasks have it in their file again, and the outcome is `all have what they had`."""
    web = stage.serve("web", "--update-order", order)
    stage.add_version(f"{BAD}-2")

    code, output = stage.roll()

    assert code == 3, output
    assert "ended as rollback completed" in output
    assert f"{GOOD}-1" == stage.file(web)


def test_stops_at_the_service_that_fails(stage: Stage) -> None:
    """Mixed, and it is said which has which; with --all-or-nothing the first one is put back."""
    first, second = stage.serve("a", "--health-cmd", "true"), stage.serve("b")
    stage.add_version(f"{BAD}-2")

    code, output = stage.roll("--all-or-nothing")
    assert code == 3, output
    assert f"{first}: putting version 1 back" in output
    assert {f"{GOOD}-1"} == {stage.file(first), stage.file(second)}

    code, output = stage.roll()
    assert code == 4, output
    assert f"{first}: runs with version 2" in output
    assert f"{second}: runs with version 1" in output
    assert [f"{BAD}-2", f"{GOOD}-1"] == [stage.file(first), stage.file(second)]

    code, output = stage.roll("--to", "1")
    assert code == 0, output
    assert f"{GOOD}-1" == stage.file(first)


@pytest.mark.parametrize(
    "line", ["generated version", "hook: before", "created", "-a: updating", "-a: runs with", "-b: updating"]
)
def test_goes_on_after_a_kill(stage: Stage, line: str) -> None:
    """Whatever it was at, the same command brings all services to one version that is current.

    The kill at `-b: updating` comes before or after the last update was sent: with its long monitor period it
    has not ended when the roll is run again.
    """
    for suffix, monitor in (("a", "1s"), ("b", "5s")):
        stage.serve(suffix, "--health-cmd", "test -s /run/secrets/password", "--update-monitor", monitor)
    with subprocess.Popen(
        stage.command("--generate", "--hook", "/bin/true"), cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as rolling:
        assert rolling.stdout is not None
        seen = next(each for each in rolling.stdout if line in each)
        rolling.send_signal(signal.SIGKILL)
    assert seen

    code, output = stage.roll("--generate", "--hook", "/bin/true")

    assert code == 0, output
    current = stage.cluster.post("/vault/secret/describe", {"path": stage.path}).json()["version"]
    if line in {"-a: runs with", "-b: updating"}:
        assert "going on with it" in output
    names = {
        stage.cluster.spec(f"{stage.name}-{suffix}")["TaskTemplate"]["ContainerSpec"]["Secrets"][0][
            "SecretName"
        ]
        for suffix in ("a", "b")
    }
    assert {f"{stage.name}.v{current}"} == names, output


def _no_health_check(stage: Stage) -> str:
    stage.serve("web", "--no-healthcheck")
    return "has no health check"


def _pauses(stage: Stage) -> str:
    stage.serve("web", "--update-failure-action", "pause")
    return "has the failure action pause"


def _foreign_object(stage: Stage) -> str:
    stage.serve("web")
    subprocess.run(["docker", "secret", "create", f"{stage.name}.v2", "-"], input=b"x", check=True)
    return "already, for something else"


def _not_granted(stage: Stage) -> str:
    stage.serve("web")
    stage.cluster.post("/vault/grant/delete", {"grant_id": stage.grant_id})
    time.sleep(6)
    return "the vault would not deliver"


def _only_current(stage: Stage) -> str:
    stage.declare("current")
    stage.serve("web", version="current")
    return "not rolled, its Docker secret has the version `current`"


def _old_one_gone(stage: Stage) -> str:
    stage.serve("web")
    stage.cluster.post("/vault/secret/delete", {"path": stage.path, "versions": [1]})
    return "version 1 is deleted"


@pytest.mark.parametrize(
    "prepare", [_no_health_check, _pauses, _foreign_object, _not_granted, _only_current, _old_one_gone]
)
def test_refuses_what_has_no_way_back(stage: Stage, prepare: Callable[[Stage], str]) -> None:
    """Exit code 2, the reason in words, and neither a service nor a Docker secret is another one."""
    stage.add_version(f"{GOOD}-2")
    reason = prepare(stage)
    before = stage.state()

    code, output = stage.roll()

    assert code == 2, output
    assert reason in output
    assert "nothing was touched" in output
    assert before == stage.state()


def test_a_failing_hook_changes_nothing(stage: Stage, tmp_path: Any) -> None:
    """It is given both values on descriptors, and none in its environment."""
    stage.serve("web")
    stage.add_version(f"{GOOD}-2")
    hook = tmp_path / "hook"
    hook.write_text(
        "#!/bin/sh\n"
        f'[ "$(cat <&3)/$(cat <&4)" = {GOOD}-1/{GOOD}-2 ] || exit 9\n'
        f'tr "\\0" "\\n" < /proc/self/environ | grep -q {GOOD}- && exit 8\n'
        '[ "$1 $OLD_VERSION $NEW_VERSION" = "before 1 2" ] && exit 7\n'
    )
    hook.chmod(0o700)
    before = stage.state()

    code, output = stage.roll("--hook", str(hook))

    assert code == 2, output
    assert "before ended with status 7" in output
    assert before == stage.state()
    assert json.dumps(before) == json.dumps(stage.state())
