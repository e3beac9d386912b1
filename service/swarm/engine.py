"""A client of the Docker Engine's HTTP API, over the engine's Unix socket.

Documents are what the engine sent, whole: an update must repeat a service's specification with all that it
holds, also what this program has never heard of (docs/decisions/0052-rolling-a-secret.md).
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

from .errors import EngineError, NotFoundByEngine, VersionOutdated

Document: TypeAlias = dict[str, Any]

DEFAULT_SOCKET = "/var/run/docker.sock"

# A write waits up to 20 s for a busy manager, and the look-up of a driver that is not there takes 15 s.
_SECONDS = 45.0
_NOT_FOUND = 404
# swarmkit's ErrSequenceConflict (manager/state/store/memory.go); its HTTP status differs between versions.
_OUTDATED = "update out of sequence"


class _UnixConnection(HTTPConnection):
    def __init__(self, path: str, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Engine:
    """The engine behind a socket; what concerns the Swarm needs a manager's.

    Every method raises ``EngineError`` if the engine does not answer or refuses, and its subclass
    ``NotFoundByEngine`` if it has no object with this id or name.
    """

    def __init__(self, path: str = DEFAULT_SOCKET, seconds: float = _SECONDS) -> None:
        self._socket_path = path
        self._seconds = seconds
        self._prefix: str | None = None

    def secrets(self) -> list[Document]:
        """Return the Docker secrets, which have no values."""
        return self._list("/secrets")

    def services(self) -> list[Document]:
        """Return the services."""
        return self._list("/services")

    def service(self, id_or_name: str) -> Document:
        """Return a service; its ``Spec`` is without the values that the engine would fill in."""
        return self._object("GET", f"/services/{quote(id_or_name, safe='')}")

    def tasks(self, service_id: str) -> list[Document]:
        """Return the tasks of a service, also those that have ended and are still known."""
        return self._list("/tasks", {"filters": json.dumps({"service": [service_id]})})

    def task(self, task_id: str) -> Document:
        """Return a task."""
        return self._object("GET", f"/tasks/{quote(task_id, safe='')}")

    def nodes(self) -> list[Document]:
        """Return the nodes."""
        return self._list("/nodes")

    def info(self) -> Document:
        """Return what the engine says of itself, among it ``Swarm``."""
        return self._object("GET", "/info")

    def plugins(self) -> list[Document]:
        """Return this node's managed plugins, also those that are disabled."""
        return self._list("/plugins")

    def image(self, name: str) -> Document:
        """Return an image that is on this node."""
        return self._object("GET", f"/images/{quote(name, safe='')}/json")

    def create_secret(self, name: str, driver: str, labels: Mapping[str, str]) -> str:
        """Create a Docker secret whose value a driver has, and return its id."""
        created = self._object(
            "POST", "/secrets/create", {"Name": name, "Labels": dict(labels), "Driver": {"Name": driver}}
        )
        return str(created["ID"])

    def remove_secret(self, secret_id: str) -> None:
        """Remove a Docker secret; the engine refuses while a service's current specification has it."""
        self._call("DELETE", f"/secrets/{quote(secret_id, safe='')}")

    def update_service(self, service_id: str, version: int, spec: Mapping[str, Any]) -> list[str]:
        """Give a service this specification, if it still is at ``version``; return the engine's warnings.

        Raises:
            VersionOutdated: the service has been changed since; nothing was done.
        """
        # The registry's credentials are no part of the specification that the engine shows.
        query = urlencode({"version": version, "registryAuthFrom": "spec"})
        answer = self._object("POST", f"/services/{quote(service_id, safe='')}/update?{query}", spec)
        return [str(warning) for warning in answer.get("Warnings") or ()]

    def _list(self, path: str, parameters: Mapping[str, str] | None = None) -> list[Document]:
        answer = self._call("GET", f"{path}?{urlencode(parameters)}" if parameters else path)
        if not isinstance(answer, list):
            raise EngineError(f"the engine answered {path} with something that is not a list")
        return answer

    def _object(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Document:
        answer = self._call(method, path, body)
        if not isinstance(answer, dict):
            raise EngineError(f"the engine answered {path} with something that is not an object")
        return answer

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        if self._prefix is None:
            # An older version of the API drops the fields that were added since.
            version = self._send("GET", "/version", None)
            self._prefix = f"/v{version['ApiVersion']}"
        return self._send(method, self._prefix + path, body)

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        connection = _UnixConnection(self._socket_path, self._seconds)
        try:
            content = None if body is None else json.dumps(body).encode()
            headers = {} if content is None else {"Content-Type": "application/json"}
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            answer = response.read()
        except TimeoutError:
            raise EngineError(
                f"the engine at {self._socket_path} did not answer within {self._seconds:g} s"
            ) from None
        except (OSError, HTTPException) as error:
            why = getattr(error, "strerror", None) or type(error).__name__
            raise EngineError(f"the engine at {self._socket_path} does not answer: {why}") from None
        finally:
            connection.close()
        if response.status >= 400:
            raise _refusal(response.status, answer)
        return json.loads(answer) if answer else None


def _refusal(status: int, answer: bytes) -> EngineError:
    try:
        message = str(json.loads(answer)["message"])
    except (ValueError, LookupError, TypeError):
        message = f"status {status}"
    message = message.removeprefix("rpc error: code = ")
    if _OUTDATED in message:
        return VersionOutdated("it has been changed meanwhile", status)
    if status == _NOT_FOUND:
        return NotFoundByEngine(f"the engine says: {message}", status)
    return EngineError(f"the engine says: {message}", status)


def secret_references(spec: Mapping[str, Any]) -> Sequence[Document]:
    """Return a service specification's references to Docker secrets, which are parts of it."""
    container = spec["TaskTemplate"].get("ContainerSpec") or {}
    return container.get("Secrets") or ()
