"""Whether the tests may have this machine: never a cluster that they did not make, unless told so in words.

The tests' own cluster is told by a mark in its Swarm: a Docker config, which site.yml and teardown.yml leave
alone and which goes with the Swarm.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MARK = "made-by-the-tests"
OPTION = "--take-the-cluster-of-this-machine"
_STACK = "secret-manager"
# Where an engine that is not running keeps the Swarm that it is in.
_SWARM_ON_DISK = Path("/var/lib/docker/swarm/docker-state.json")


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is on the machine; ``swarm`` is the engine's own word for it, None if no engine answers.

    ``services`` are all that run on the Swarm; ``volumes`` those of the project's stack alone.
    """

    root: bool = True
    installable: bool = True
    swarm: str | None = "inactive"
    manager: bool = True
    nodes: int = 0
    marked: bool = False
    services: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    swarm_on_disk: bool = False


def refusal(kind: str, machine: Machine, *, may_take: bool) -> str | None:
    """Return why tests of this ``kind``, cluster or lab, may not run here, or None if they may.

    The lab has nodes of its own, and leaves an engine that answers as it is; it starts one that is stopped.
    """
    if not machine.root:
        return "these tests install and drive a Docker Engine: run them as root"
    if not machine.installable:
        return "there is no Docker Engine, and site.yml installs one on Debian only"
    if machine.nodes > 1 or (machine.swarm == "active" and not machine.manager):
        return "this machine is in a Swarm with others, which these tests would take apart"
    found = _found(machine)
    if may_take or machine.marked or not found or (kind == "lab" and machine.swarm is not None):
        return None
    return (
        f"these tests take the cluster of this machine apart, data included, and did not make the one here:\n"
        f"  {'; '.join(found)}\n"
        f"Nothing was changed.  If it may go: pytest -m {kind} {OPTION} (CI=true says the same).\n"
        f"A cluster of the tests' own has the Docker config {MARK}."
    )


def reason_against(kind: str, option: bool) -> str | None:
    """Look at this machine and return why tests of this kind may not run here, or None if they may."""
    return refusal(kind, look(), may_take=option or os.environ.get("CI") == "true")


def look() -> Machine:
    """Look at this machine, and change nothing."""
    import docker  # takes a while, and most runs need none

    machine = Machine(
        root=os.geteuid() == 0,
        installable=Path("/etc/debian_version").exists() or shutil.which("dockerd") is not None,
        swarm=None,
        swarm_on_disk=_on_disk(),
    )
    try:
        engine = docker.from_env(timeout=30)
        swarm = engine.info()["Swarm"]
    except docker.errors.DockerException:
        return machine
    manager = swarm["ControlAvailable"]
    return Machine(
        root=machine.root,
        installable=True,
        swarm=swarm["LocalNodeState"],
        manager=manager,
        nodes=swarm.get("Nodes", 0),
        marked=manager and _is_marked(engine),
        services=tuple(sorted(service.name for service in engine.services.list())) if manager else (),
        volumes=tuple(sorted(one.name for one in engine.volumes.list() if one.name.startswith(f"{_STACK}_"))),
        swarm_on_disk=machine.swarm_on_disk,
    )


def mark() -> None:
    """Mark the Swarm of this machine, if there is one, as the tests' own."""
    import docker

    try:
        engine = docker.from_env(timeout=30)
        manager = engine.info()["Swarm"]["ControlAvailable"]
    except docker.errors.DockerException:
        return  # no engine, so no Swarm: site.yml did not get that far
    if manager and not _is_marked(engine):
        engine.configs.create(name=MARK, data=b"The tests may take this cluster apart, data included.\n")


def _found(machine: Machine) -> list[str]:
    if machine.swarm is None:
        return ["an engine that does not answer and has a Swarm on disk"] if machine.swarm_on_disk else []
    found = []
    if machine.swarm != "inactive":
        found.append(f"a Swarm ({machine.swarm})")
    if machine.services:
        found.append(f"with the services {', '.join(machine.services)}")
    if machine.volumes:
        found.append(f"data in the volumes {', '.join(machine.volumes)}")
    return found


def _is_marked(engine: Any) -> bool:
    return any(config.name == MARK for config in engine.configs.list(filters={"name": MARK}))


def _on_disk() -> bool:
    try:
        return _SWARM_ON_DISK.exists()
    except PermissionError:
        return False  # root alone may look, and nobody else gets further
