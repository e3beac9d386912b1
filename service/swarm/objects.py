"""Docker secrets whose value is the vault's: one for each version, so a service's rollback has its value.

Their labels say which (docs/reference/swarm-driver.md); nothing is told from their names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .engine import Document, Engine, secret_references
from .errors import SwarmError

DRIVER = "secret-manager"
PATH, VERSION = f"{DRIVER}.path", f"{DRIVER}.version"
CURRENT = "current"

_SUFFIX = re.compile(r"\.v[0-9]+\Z", re.ASCII)
_NUMBER = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class VaultObject:
    """A Docker secret for a version of the vault's secret at a path, None for the one that is current."""

    id: str
    name: str
    version: int | None
    labels: Mapping[str, str]

    def name_of(self, version: int) -> str:
        """Return what the object of another version is called."""
        return f"{_SUFFIX.sub('', self.name)}.v{version}"

    def labels_of(self, version: int) -> dict[str, str]:
        """Return the labels of the object of another version."""
        return {**self.labels, VERSION: str(version)}


def read_objects(secrets: Iterable[Document], path: str) -> dict[str, VaultObject]:
    """Return the objects of a path by their ids; those whose version label is invalid are none."""
    found = {}
    for secret in secrets:
        spec = secret["Spec"]
        labels = spec.get("Labels") or {}
        version = labels.get(VERSION, "")
        if not _is_ours(spec) or labels.get(PATH) != path:
            continue
        if version == CURRENT or _NUMBER.fullmatch(version):
            number = None if version == CURRENT else int(version)
            found[secret["ID"]] = VaultObject(secret["ID"], spec["Name"], number, labels)
    return found


def ensure_object(engine: Engine, like: VaultObject, version: int) -> tuple[VaultObject, bool]:
    """Return the object of another version, and whether it was created now.

    Raises:
        SwarmError: there is one with this name that is for something else.
    """
    name, labels = like.name_of(version), like.labels_of(version)
    for secret in engine.secrets():
        if secret["Spec"]["Name"] == name:
            _require_same(secret["Spec"], labels)
            return VaultObject(secret["ID"], name, version, secret["Spec"].get("Labels") or {}), False
    return VaultObject(engine.create_secret(name, DRIVER, labels), name, version, labels), True


def require_free(secrets: Iterable[Document], like: VaultObject, version: int) -> None:
    """Check that the object of another version is as wanted, or that its name is free.

    Raises:
        SwarmError: there is one with this name that is for something else.
    """
    for secret in secrets:
        if secret["Spec"]["Name"] == like.name_of(version):
            _require_same(secret["Spec"], like.labels_of(version))


def remove_unused(engine: Engine, path: str, before: int, keep: Iterable[int]) -> list[str]:
    """Remove the path's objects of versions older than ``before`` that no service names; return their names.

    Neither now nor to roll back to: the engine itself would let a service roll back to a secret that is gone,
    and then start none of its tasks.
    """
    # Before the services: an object that is created and named while they are read is not among these.
    objects = read_objects(engine.secrets(), path).values()
    named = {
        reference["SecretID"]
        for service in engine.services()
        for spec in (service["Spec"], service.get("PreviousSpec"))
        if spec
        for reference in secret_references(spec)
    }
    unused = [
        each
        for each in objects
        if each.version is not None
        and each.version < before
        and each.version not in keep
        and each.id not in named
    ]
    for each in unused:
        engine.remove_secret(each.id)
    return [each.name for each in unused]


def _is_ours(spec: Mapping[str, Any]) -> bool:
    name = (spec.get("Driver") or {}).get("Name", "")
    return name in {DRIVER, f"{DRIVER}:latest"}


def _require_same(spec: Mapping[str, Any], labels: Mapping[str, str]) -> None:
    def decisive(each: Mapping[str, str]) -> dict[str, str]:
        return {name: text for name, text in each.items() if name.startswith(f"{DRIVER}.")}

    if not _is_ours(spec) or decisive(spec.get("Labels") or {}) != decisive(labels):
        wanted = ", ".join(f"{name}={text}" for name, text in sorted(decisive(labels).items()))
        raise SwarmError(
            f"there is a Docker secret {spec['Name']} already, for something else: it should have the driver"
            f" {DRIVER} and {wanted}; remove it if nothing uses it"
        )
