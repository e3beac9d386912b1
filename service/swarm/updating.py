"""Updates one service from one version of a secret to another, and finds out whether its tasks have it."""

from __future__ import annotations

import copy
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .consumers import UNFINISHED, update_state
from .engine import Document, Engine, secret_references
from .errors import SwarmError, VaultNotReached, VersionOutdated
from .objects import VaultObject
from .vault import Vault

_PAUSE_SECONDS = 0.5
# How often an update is repeated because the service was changed in between.
_ATTEMPTS = 5
# The orchestrator begins an update at once; one of a service without tasks never has a state.
_START_SECONDS = 10.0
# How long the engine takes to have done what it reported as completed.
_SETTLE_SECONDS = 15.0
# swarmkit's default (api/defaults/service.go).
_MONITOR_NANOSECONDS = 5_000_000_000
_FRACTION = re.compile(r"(\.[0-9]{6})[0-9]*")


class UpdateFailed(SwarmError):
    """A service does not run with the version that it was to have; the message says what was seen.

    ``is_left`` if its update goes on, or somebody else changes it: so it is left alone.
    """

    def __init__(self, message: str, *, is_left: bool = False) -> None:
        super().__init__(message)
        self.is_left = is_left


@dataclass(frozen=True, slots=True)
class Exchange:
    """New objects, of one version of the secret at a path, by the ids of those that they replace."""

    path: str
    version: int
    objects: Mapping[str, VaultObject]

    @property
    def ids(self) -> frozenset[str]:
        """The ids of the new objects."""
        return frozenset(each.id for each in self.objects.values())


def update(engine: Engine, service_id: str, exchange: Exchange, *, supersede: bool = False) -> None:
    """Exchange the references, and nothing else, by one update.

    Another update that has not ended is an error, unless this one is to ``supersede`` it.

    Raises:
        UpdateFailed: the service is not what it was when the roll was planned.
        EngineError: the engine refused.
    """
    for _ in range(_ATTEMPTS):
        service = engine.service(service_id)
        if update_state(service) in UNFINISHED and not supersede:
            raise UpdateFailed("somebody else has begun an update of it", is_left=True)
        spec = exchanged(service["Spec"], exchange.objects)
        if spec == service["Spec"]:
            raise UpdateFailed("somebody else has changed its secrets", is_left=True)
        try:
            engine.update_service(service_id, service["Version"]["Index"], spec)
        except VersionOutdated:
            continue
        return
    raise UpdateFailed("it is being changed by somebody else all the time", is_left=True)


def exchanged(spec: Mapping[str, Any], objects: Mapping[str, VaultObject]) -> Document:
    """Return a specification with other objects in the same files, with the same owner and mode."""
    changed = copy.deepcopy(dict(spec))
    for reference in secret_references(changed):
        if new := objects.get(reference["SecretID"]):
            reference["SecretID"], reference["SecretName"] = new.id, new.name
    return changed


def wait_until_final(engine: Engine, service_id: str, seconds: float) -> Document:
    """Return the service once its update has ended, or waits for somebody.

    Raises:
        UpdateFailed: it has not after ``seconds``.
    """
    started = time.monotonic()
    while (elapsed := time.monotonic() - started) < seconds:
        service = engine.service(service_id)
        state = update_state(service)
        if state and state not in {"updating", "rollback_started"}:
            return service
        if not state and elapsed > _START_SECONDS and not _wanted(engine, service_id):
            return service
        time.sleep(_PAUSE_SECONDS)
    raise UpdateFailed(f"its update has not ended after {seconds:g} s; Swarm goes on with it", is_left=True)


def confirm_tasks(
    engine: Engine, service: Document, ids: frozenset[str], has_value: Callable[[str], bool] | None = None
) -> int:
    """Return how many tasks run with these objects, once each has run through the monitor period.

    ``has_value`` says of a task's id whether the vault has a record that it was given its value.

    Raises:
        UpdateFailed: a task has other objects, does not run, or was given nothing.
    """
    monitor = (service["Spec"].get("UpdateConfig") or {}).get("Monitor") or _MONITOR_NANOSECONDS
    end = time.monotonic() + monitor / 1e9 + _SETTLE_SECONDS
    while True:
        tasks = _wanted(engine, service["ID"])
        wrong = _first_wrong(service, tasks, ids, monitor / 1e9)
        if wrong is None and (has_value is None or all(has_value(task["ID"]) for task in tasks)):
            return len(tasks)
        if time.monotonic() > end:
            raise UpdateFailed(wrong or "the vault has no record that its tasks were given the version")
        time.sleep(_PAUSE_SECONDS)


def delivery_records(vault: Vault, exchange: Exchange) -> Callable[[str], bool]:
    """Return the function that says whether a task was given the version, by the vault's audit log."""
    seen: set[str] = set()

    def was_delivered(task_id: str) -> bool:
        if task_id in seen:
            return True
        try:
            records = vault.audit_records(operation="deliver", task_id=task_id, status="success")
        except VaultNotReached:
            return False
        found = any(
            record["authentic"] and (record["path"], record["version"]) == (exchange.path, exchange.version)
            for record in records
        )
        if found:
            seen.add(task_id)
        return found

    return was_delivered


def last_error(engine: Engine, service_id: str) -> str:
    """Return what the engine says of the service's task that failed last; empty if none did."""
    failed = [
        task
        for task in engine.tasks(service_id)
        if task["Status"].get("Err") and task["Status"].get("Timestamp")
    ]
    if not failed:
        return ""
    last = max(failed, key=lambda task: _time(task["Status"]["Timestamp"]))
    return f"{last['Status']['State']}: {last['Status']['Err']}"


def _wanted(engine: Engine, service_id: str) -> list[Document]:
    """Return the tasks that should be running; the one of an update in progress is still `ready`."""
    return [task for task in engine.tasks(service_id) if task["DesiredState"] in {"running", "ready"}]


def _first_wrong(service: Document, tasks: list[Document], ids: frozenset[str], monitor: float) -> str | None:
    replicas = (service["Spec"]["Mode"].get("Replicated") or {}).get("Replicas")
    if replicas is not None and len(tasks) != replicas:
        return f"it has {len(tasks)} tasks of {replicas}"
    for task in tasks:
        named = {reference["SecretID"] for reference in secret_references({"TaskTemplate": task["Spec"]})}
        state = task["Status"]["State"]
        if not ids <= named:
            return f"its task {task['ID']} has another version"
        if state != "running":
            return f"its task {task['ID']} is not running but {state}"
        if time.time() < _time(task["Status"]["Timestamp"]).timestamp() + monitor:
            return f"its task {task['ID']} has not run for the {monitor:g} s of its monitor period"
    return None


def _time(text: str) -> datetime:
    # Go writes nanoseconds.
    return datetime.fromisoformat(_FRACTION.sub(r"\1", text).replace("Z", "+00:00"))
