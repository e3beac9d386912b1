"""What secrets of the vault cost a Swarm of one node: ``python -m tests.load swarm``.

It starts a service of many tasks twice, once with a plain Docker secret and once with one that the driver
brings, and measures until all of them run.  If it is told how to restart the engine, it then measures how
long the cluster is held: whenever a node connects, the leader asks the driver for each of its tasks, and
nothing can be changed meanwhile.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from .errors import Refused
from .targets import Api

DRIVER = "secret-manager"
_VALUE = "c2VjcmV0"
_POLL_SECONDS = 0.2
# With a Swarm that cannot start as many tasks.
_MAX_SECONDS = 1800
_CALL_SECONDS = 60
# How long a Swarm is watched whose tasks cannot have their secrets.
_WATCH_SECONDS = 60
_HEAD = (
    "secret",
    "API",
    "tasks",
    "all run after, s",
    "engine away, s",
    "slowest create, s",
    "all run again after, s",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure: a service of so many ``tasks``; all that it makes is called ``name`` and more.

    ``api`` is called with an administrator's token.  ``restart`` is a command that restarts the engine, as
    words; None leaves that out.  ``api_service`` is the API's own service: the engine is restarted once more
    while it has no replica.
    """

    api: Api
    tasks: int
    name: str
    image: str
    restart: Sequence[str] | None
    api_service: str


@dataclass(frozen=True, slots=True)
class Row:
    """What one kind of secret cost, in seconds; None where the engine was not restarted.

    ``started`` is until all tasks ran.  After a restart, ``away`` is until the engine answers again, and from
    then ``again`` until all tasks ran.  ``held`` is the longest that it took to create another service, which
    is done time and again until all tasks run, or for a minute if they cannot.
    """

    secret: str
    is_served: bool
    started: float | None
    away: float | None = None
    held: float | None = None
    again: float | None = None


def run(plan: Plan) -> Iterator[Row]:
    """Measure, yield each row as soon as it is known, and remove everything again.

    Raises:
        Refused: Docker or the vault refused something, or tasks did not run in time.
    """
    with ExitStack() as stack:
        secrets = {
            "plain": stack.enter_context(_plain_secret(plan)),
            "driver": stack.enter_context(_driver_secret(plan)),
        }
        for kind, secret in secrets.items():
            with _service(plan, kind, secret) as name:
                begin = time.monotonic()
                _wait_until_all_run(plan, name)
                started = time.monotonic() - begin
                if plan.restart is None:
                    yield Row(kind, True, started)
                    continue
                yield Row(kind, True, started, *_restart(plan, name, is_served=True))
                with _without_api(plan):
                    away, held, _ = _restart(plan, name, is_served=False)
                yield Row(kind, False, None, away, held, None)
                _wait_until_all_run(plan, name)


def table(rows: Sequence[Row], tasks: int) -> str:
    """Return the rows as a Markdown table."""
    lines = [
        _HEAD,
        ["---", "---", *["---:"] * (len(_HEAD) - 2)],
        *(
            (
                row.secret,
                "runs" if row.is_served else "has no replica",
                str(tasks),
                *(
                    "" if each is None else f"{each:.1f}"
                    for each in (row.started, row.away, row.held, row.again)
                ),
            )
            for row in rows
        ),
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def image_of(service: str) -> str:
    """Return the image of a service: one that this node has.

    Raises:
        Refused: there is no such service.
    """
    return _docker("service", "inspect", "--format", "{{.Spec.TaskTemplate.ContainerSpec.Image}}", service)


def _restart(plan: Plan, name: str, *, is_served: bool) -> tuple[float, float, float | None]:
    """Restart the engine; return how long it was away, then held, and then until all tasks ran."""
    assert plan.restart is not None
    begin = time.monotonic()
    if subprocess.run(plan.restart, stdin=subprocess.DEVNULL, check=False).returncode:
        raise Refused(f"the engine was not restarted: {plan.restart[0]} failed")
    _retry("version")
    back = time.monotonic()
    held, end = 0.0, back + (_MAX_SECONDS if is_served else _WATCH_SECONDS)
    while not (is_served and _running(name) >= plan.tasks) and time.monotonic() < end:
        held = max(held, _create_another(plan))
        time.sleep(_POLL_SECONDS)
    if not is_served:
        return back - begin, held, None
    _wait_until_all_run(plan, name)
    return back - begin, held, time.monotonic() - back


def _create_another(plan: Plan) -> float:
    """Create a service that has no secret, remove it, and return how long it took to create it."""
    begin = time.monotonic()
    other = f"{plan.name}-other"
    _retry("service", "create", "--detach", "--replicas", "0", *_quiet(other), plan.image, "86400")
    seconds = time.monotonic() - begin
    _retry("service", "rm", other)
    return seconds


@contextmanager
def _service(plan: Plan, kind: str, secret: str) -> Iterator[str]:
    name = f"{plan.name}-{kind}"
    created = ("--detach", "--replicas", str(plan.tasks), "--secret", f"source={secret},target=value")
    _docker("service", "create", *created, *_quiet(name), plan.image, "86400")
    try:
        yield name
    finally:
        _docker("service", "rm", name)
        while _running(name):
            time.sleep(_POLL_SECONDS)


def _quiet(name: str) -> tuple[str, ...]:
    """Return the options of a service whose tasks do nothing, and end at once."""
    return (
        *("--name", name, "--entrypoint", "sleep", "--stop-signal", "SIGKILL", "--no-healthcheck"),
        *("--no-resolve-image", "--restart-delay", "1s"),
    )


@contextmanager
def _plain_secret(plan: Plan) -> Iterator[str]:
    name = f"{plan.name}-plain"
    _docker("secret", "create", name, "-", given="secret")
    try:
        yield name
    finally:
        _docker("secret", "rm", name)


@contextmanager
def _driver_secret(plan: Plan) -> Iterator[str]:
    """Have a secret in the vault, a grant and the Docker secret that names them."""
    path, name = f"load/{plan.name}", f"{plan.name}-driver.v1"
    with ExitStack() as stack:
        secret_id = _call(plan.api, "secret/create", {"path": path, "secret": _VALUE})["secret_id"]
        stack.callback(_call, plan.api, "secret/destroy", {"secret_id": secret_id, "in_use": True})
        asked = {"services": [f"{plan.name}-driver"], "paths": [path]}
        grant_id = _call(plan.api, "grant/create", asked)["grant_id"]
        stack.callback(_call, plan.api, "grant/delete", {"grant_id": grant_id})
        labels = (f"{DRIVER}.path={path}", f"{DRIVER}.version=1")
        _docker(
            "secret",
            "create",
            "--driver",
            DRIVER,
            *(word for each in labels for word in ("--label", each)),
            name,
        )
        stack.callback(_docker, "secret", "rm", name)
        yield name


@contextmanager
def _without_api(plan: Plan) -> Iterator[None]:
    replicas = _docker(
        "service", "inspect", "--format", "{{.Spec.Mode.Replicated.Replicas}}", plan.api_service
    )
    _docker("service", "scale", f"{plan.api_service}=0")
    try:
        yield
    finally:
        _retry("service", "scale", f"{plan.api_service}={replicas}")


def _wait_until_all_run(plan: Plan, name: str) -> None:
    end = time.monotonic() + _MAX_SECONDS
    while (count := _running(name)) < plan.tasks:
        if time.monotonic() > end:
            raise Refused(f"only {count} of {plan.tasks} tasks of {name} run: see docker service ps {name}")
        time.sleep(_POLL_SECONDS)


def _running(name: str) -> int:
    """Return how many containers of a service run; what the Swarm says is old while an engine starts."""
    return len(
        _docker("ps", "--quiet", "--filter", f"label=com.docker.swarm.service.name={name}").splitlines()
    )


def _docker(*words: str, given: str = "") -> str:
    """Run docker; ``given`` is its standard input."""
    finished = subprocess.run(
        ["docker", *words],
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        raise Refused(f"docker {' '.join(words[:2])}: {finished.stderr.strip()}")
    return finished.stdout.strip()


def _retry(*words: str) -> None:
    """Run docker until it succeeds: an engine that starts refuses for a while."""
    end = time.monotonic() + _MAX_SECONDS
    while True:
        try:
            _docker(*words)
        except Refused:
            if time.monotonic() > end:
                raise
            time.sleep(_POLL_SECONDS)
        else:
            return


def _call(api: Api, name: str, body: dict[str, Any]) -> Any:
    answer = requests.post(
        f"{api.urls[0]}/vault/{name}",
        json=body,
        headers={"Authorization": f"Bearer {api.token}"},
        verify=str(api.ca) if api.ca else True,
        timeout=_CALL_SECONDS,
    )
    if not answer.ok:
        raise Refused(f"the vault refused {name}: {answer.text}")
    return answer.json()
