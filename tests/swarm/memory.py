"""An engine and a vault in memory, for what the real ones cannot be made to answer at will.

The real ones are in ``tests/cluster/test_roll.py``.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from service.swarm.errors import NotFoundByEngine, VaultRefused

PATH = "team/billing/db"
_LONG_AGO = "2020-01-01T00:00:00.123456789Z"


class MemoryEngine:
    """Has an object of version 1 and services with it; an update ends at once, as ``ends`` says by name.

    ``documents`` has the services by their names, which are their ids as well.
    """

    def __init__(self, *names: str) -> None:
        self.ends: dict[str, str] = {}
        self.written: list[str] = []
        self._ending: set[str] = set()
        self._secrets: dict[str, dict[str, Any]] = {}
        self.create_secret("db.v1", "secret-manager", labels(1))
        self.documents = {name: service(name) for name in names}
        self.written.clear()

    def secrets(self) -> list[dict[str, Any]]:
        return copy.deepcopy(list(self._secrets.values()))

    def services(self) -> list[dict[str, Any]]:
        return copy.deepcopy(list(self.documents.values()))

    def service(self, service_id: str) -> dict[str, Any]:
        if service_id in self._ending:
            self.documents[service_id]["UpdateStatus"] = {"State": "completed"}
        return copy.deepcopy(self.documents[service_id])

    def tasks(self, service_id: str) -> list[dict[str, Any]]:
        template = self.documents[service_id]["Spec"]["TaskTemplate"]
        status = {"State": "running", "Timestamp": _LONG_AGO}
        return [{"ID": f"task-{service_id}", "Spec": template, "DesiredState": "running", "Status": status}]

    def image(self, name: str) -> dict[str, Any]:
        raise NotFoundByEngine(f"no image {name}")

    def create_secret(self, name: str, driver: str, labels: Mapping[str, str]) -> str:
        self.written.append(f"create {name}")
        spec = {"Name": name, "Labels": dict(labels), "Driver": {"Name": driver}}
        self._secrets[name] = {"ID": name, "Spec": spec}
        return name

    def remove_secret(self, secret_id: str) -> None:
        self.written.append(f"remove {secret_id}")
        del self._secrets[secret_id]

    def update_service(self, service_id: str, version: int, spec: dict[str, Any]) -> list[str]:
        self.written.append(f"update {service_id}")
        had = self.documents[service_id]
        state = self.ends.get(service_id, "completed")
        if state == "rollback_completed":
            spec = had["Spec"]
        self.documents[service_id] = {
            **had,
            "Version": {"Index": version + 1},
            "Spec": spec,
            "PreviousSpec": had["Spec"],
            "UpdateStatus": {"State": state},
        }
        return []

    def on_version(self, name: str, number: int) -> None:
        """Give a service another version, as an earlier roll would have."""
        self.create_secret(f"db.v{number}", "secret-manager", labels(number))
        before = self.documents[name]
        self.documents[name] = service(name, number) | {"PreviousSpec": before["Spec"]}
        self.written.clear()

    def begin_update(self, name: str) -> None:
        """Let an update be under way that has ended when the service is looked at by itself."""
        self.documents[name]["UpdateStatus"] = {"State": "updating"}
        self._ending.add(name)

    def versions(self) -> dict[str, str]:
        """Return the names of the services' objects."""
        return {
            name: each["Spec"]["TaskTemplate"]["ContainerSpec"]["Secrets"][0]["SecretName"]
            for name, each in self.documents.items()
        }


class MemoryVault:
    """Has some versions of the secret, and delivers to all services but ``refuses``."""

    def __init__(self, count: int) -> None:
        self.states = dict.fromkeys(range(1, count + 1), "live")
        self.refuses: set[str] = set()
        self.fetched: list[int] = []
        self.max_versions = 10

    def describe(self, path: str) -> dict[str, Any]:
        assert path == PATH
        versions = [
            {"version": number, "state": state, "expires_at": None} for number, state in self.states.items()
        ]
        return {"version": max(self.states), "max_versions": self.max_versions, "versions": versions}

    def fetch(self, path: str, version: int) -> bytes:
        self.fetched.append(version)
        return f"value-{version}".encode()

    def check_delivery(self, path: str, version: int | None, service: Mapping[str, Any]) -> int:
        if service["name"] in self.refuses:
            raise VaultRefused(404, {"detail": "not allowed"})
        return version or max(self.states)

    def generate(self, path: str, rule: Mapping[str, Any], expected_version: int) -> int:
        assert expected_version == max(self.states)
        self.states[expected_version + 1] = "live"
        return expected_version + 1

    def audit_records(self, **conditions: str) -> list[dict[str, Any]]:
        return [{"authentic": True, "path": PATH, "version": number} for number in self.states]


def labels(version: int) -> dict[str, str]:
    """Return the labels of the object of a version."""
    return {"secret-manager.path": PATH, "secret-manager.version": str(version)}


def service(name: str, version: int = 1) -> dict[str, Any]:
    """Return a service that can be rolled, whose id is its name."""
    container = {
        "Image": "billing:1",
        "Healthcheck": {"Test": ["CMD", "true"]},
        "Secrets": [{"SecretID": f"db.v{version}", "SecretName": f"db.v{version}"}],
    }
    return {
        "ID": name,
        "Version": {"Index": 1},
        "Spec": {
            "Name": name,
            "Mode": {"Replicated": {"Replicas": 1}},
            "UpdateConfig": {"FailureAction": "rollback"},
            "TaskTemplate": {"ContainerSpec": container},
        },
    }
