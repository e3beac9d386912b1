"""The services that use a secret of the vault, and whether one of them can be updated with a way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .engine import Document, Engine, secret_references
from .errors import NotFoundByEngine
from .objects import VaultObject

# Of an update that has not ended, or waits for somebody.
UNFINISHED = {"updating", "paused", "rollback_started", "rollback_paused"}


@dataclass(frozen=True, slots=True)
class Consumer:
    """A service, its references to objects of a path, and those of its specification before."""

    document: Document
    objects: tuple[VaultObject, ...]
    previous: tuple[VaultObject, ...]

    @property
    def id(self) -> str:
        """The service's id."""
        return str(self.document["ID"])

    @property
    def name(self) -> str:
        """The service's name."""
        return str(self.document["Spec"]["Name"])

    @property
    def versions(self) -> frozenset[int]:
        """The versions that it names; more than one only if it names several objects."""
        return frozenset(each.version for each in self.objects if each.version is not None)

    def is_on(self, version: int) -> bool:
        """Return whether it names this version and no other."""
        return self.versions == {version}


@dataclass(frozen=True, slots=True)
class Allowances:
    """What a roll goes on without, if the operator says so."""

    no_health_check: bool = False
    any_failure_action: bool = False
    no_way_back: bool = False


def find_consumers(engine: Engine, objects: Mapping[str, VaultObject]) -> list[Consumer]:
    """Return the services that name one of these objects, sorted by name."""
    found = []
    for service in engine.services():
        now = _named(service["Spec"], objects)
        if now:
            found.append(Consumer(service, now, _named(service.get("PreviousSpec") or {}, objects)))
    return sorted(found, key=lambda each: each.name)


def obstacles(engine: Engine, consumer: Consumer, target: int, allowed: Allowances) -> Iterator[str]:
    """Yield why this service cannot be rolled; nothing if it can."""
    spec = consumer.document["Spec"]
    state = update_state(consumer.document)
    # An update to the target is a roll's that was killed: it is waited for.
    if state in UNFINISHED and not (state == "updating" and consumer.is_on(target)):
        yield f"has an update that is {state.replace('_', ' ')}: let it end, or end it"
    if not {"Replicated", "Global"} & spec["Mode"].keys():
        yield "is a job: it has the new value when it runs the next time"
    action = (spec.get("UpdateConfig") or {}).get("FailureAction") or "pause"
    if action != "rollback" and not allowed.any_failure_action:
        yield (
            f"has the failure action {action}: set it with `docker service update --update-failure-action"
            " rollback`, or give --any-failure-action"
        )
    if not allowed.no_health_check and (lack := _lack_of_health_check(engine, spec)):
        yield f"{lack}: give the service one, or give --no-health-check"


def update_state(service: Document) -> str:
    """Return the state of a service's last update, as the engine calls it; empty if there was none."""
    return str((service.get("UpdateStatus") or {}).get("State") or "")


def _named(spec: Document, objects: Mapping[str, VaultObject]) -> tuple[VaultObject, ...]:
    if not spec:
        return ()
    ids = [reference["SecretID"] for reference in secret_references(spec)]
    return tuple(objects[each] for each in ids if each in objects)


def _lack_of_health_check(engine: Engine, spec: Document) -> str | None:
    container = spec["TaskTemplate"]["ContainerSpec"]
    # An empty test, as one that is missing, means the image's own.
    test = (container.get("Healthcheck") or {}).get("Test")
    if not test:
        try:
            config = engine.image(container["Image"]).get("Config") or {}
        except NotFoundByEngine:
            return "has no health check of its own, and its image, which may have one, is not on this node"
        test = (config.get("Healthcheck") or {}).get("Test")
    return None if test and test != ["NONE"] else "has no health check"
