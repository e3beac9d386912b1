"""One call of the engine: parse it, ask the vault, answer; with a line in the log whatever happens."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import traceback
from collections.abc import Mapping
from typing import Any

from .breaker import Breaker
from .configuration import Configuration, ConfigurationFolder
from .errors import (
    CircuitOpen,
    DeliveryError,
    InternalError,
    InvalidAnswer,
    NotAllowed,
    Outcome,
    OwnStack,
    TokenRefused,
    VaultNotReached,
    VaultUnavailable,
)
from .http1 import Response
from .log import Log, clean
from .request import EngineRequest, SecretReference, parse, reference
from .vault import Vault

DELIVER = "/vault/secret/deliver"
# swarmkit, api/validation/secrets.go: less than 512,000 bytes.
MAX_VALUE_BYTES = 511_999
# One handshake each when a cluster wakes up; the other calls wait for one of these connections.
_MAX_CONNECTIONS = 8
# With less time than this left, a call that waited for a connection says nothing about the vault.
_MIN_SECONDS = 0.5

_PROBLEM = re.compile(r"/problems/([a-z-]{1,64})")


class Driver:
    """Answers the engine; used by one event loop."""

    def __init__(self, folder: ConfigurationFolder, vault: Vault, log: Log) -> None:
        self._folder = folder
        self._vault = vault
        self._log = log
        self._breaker = Breaker()
        self._connections = asyncio.Semaphore(_MAX_CONNECTIONS)
        # Calls that did not reach the vault, and of which it does not know yet.
        self._unreached = 0

    async def get_secret(self, body: bytes, started: float, deadline: float) -> tuple[int, dict[str, Any]]:
        """Return status and answer of a call that began at ``started``, both in the time of the event loop.

        ``deadline`` is when asking the vault ends.
        """
        fields: dict[str, object] = {}
        try:
            value = await self._deliver(body, deadline, fields)
        except DeliveryError as error:
            return self.refuse(error, started, fields)
        except Exception as error:  # noqa: BLE001  (a call without an answer is repeated for 15 s)
            # Its message may quote what it failed on.
            fields["where"] = [
                f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-5:]
            ]
            fault = InternalError(f"the driver has a fault, {type(error).__name__}: see its log")
            return self.refuse(fault, started, fields)
        self._write(Outcome.DELIVERED, started, fields)
        return 200, {"Value": value, "DoNotReuse": True}

    def refuse(
        self, error: DeliveryError, started: float, fields: Mapping[str, object]
    ) -> tuple[int, dict[str, Any]]:
        """Log why a call has no value; return its status and answer."""
        if isinstance(error, VaultNotReached | CircuitOpen):
            self._unreached += 1
        self._write(error.outcome, started, {**fields, "reason": str(error)})
        return error.status, failure(str(error))

    def activate(self, started: float) -> dict[str, Any]:
        """Return what an engine asks of a driver that is no managed plugin, once."""
        self._write(Outcome.ACTIVATED, started, {})
        return {"Implements": ["secretprovider"]}

    async def _deliver(self, body: bytes, deadline: float, fields: dict[str, object]) -> str:
        """Return the value as the engine takes it; put what becomes known of the call into ``fields``."""
        request = parse(body)
        fields.update(
            docker_secret=request.docker_secret,
            service=request.service_name,
            task_id=request.task_id,
            node_id=request.node_id,
        )
        wanted = reference(request)
        fields.update(path=wanted.path, version=wanted.version or "current")
        configuration = self._folder.read()
        _require_other_stack(request.service_name, configuration)
        response = await self._ask(configuration, _document(request, wanted), deadline)
        answer = _parse(response)
        if isinstance(answer.get("request_id"), str):
            fields.update(request_id=answer["request_id"])
        if response.status != 200:
            raise _refusal(response.status, answer, request, wanted)
        return _encode(_value(answer, wanted), wanted)

    async def _ask(
        self, configuration: Configuration, document: Mapping[str, Any], deadline: float
    ) -> Response:
        try:
            async with asyncio.timeout_at(deadline - _MIN_SECONDS):
                await self._connections.acquire()
        except TimeoutError:
            raise VaultNotReached("vault not reachable: other calls wait for it, too") from None
        try:
            with self._breaker.attempt():
                return await self._post(configuration, document, deadline)
        finally:
            self._connections.release()

    async def _post(
        self, configuration: Configuration, document: Mapping[str, Any], deadline: float
    ) -> Response:
        """Ask the vault, and tell it how many calls did not reach it."""
        # Only one of several calls at a time tells it.
        told, self._unreached = self._unreached, 0
        is_told = False
        try:
            response = await self._vault.post(configuration, DELIVER, document, deadline, told)
            is_told = response.status == 200
        finally:
            if not is_told:
                self._unreached += told
        return response

    def _write(self, outcome: Outcome, started: float, fields: Mapping[str, object]) -> None:
        milliseconds = round((asyncio.get_running_loop().time() - started) * 1000, 1)
        self._log.write("call", outcome=outcome, ms=milliseconds, breaker=self._breaker.state, **fields)


def failure(message: str) -> dict[str, Any]:
    """Return the answer to a call that has no value.

    ``DoNotReuse`` is in every answer: after a single one without it, the agent of a node gives the value of
    one task to others that were refused it.
    """
    return {"Err": clean(message), "DoNotReuse": True}


def _require_other_stack(service: str, configuration: Configuration) -> None:
    for stack in configuration.own_stacks:
        if service == stack or service.startswith(f"{stack}_"):
            raise OwnStack(
                f"not allowed: the service {service} belongs to the vault's own stack {stack},"
                " which must start without the vault"
            )


def _document(request: EngineRequest, wanted: SecretReference) -> dict[str, Any]:
    return {
        "path": wanted.path,
        **({} if wanted.version is None else {"version": wanted.version}),
        "service": {
            "id": request.service_id,
            "name": request.service_name,
            "labels": request.service_labels,
            "image": request.image,
        },
        "task": {"id": request.task_id, "name": request.task_name},
        "node": {"id": request.node_id},
        "docker_secret": request.docker_secret,
    }


def _parse(response: Response) -> Mapping[str, Any]:
    try:
        answer = json.loads(response.body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise InvalidAnswer(f"the vault answered {response.status} without a JSON document")
    return answer


def _refusal(
    status: int, problem: Mapping[str, Any], request: EngineRequest, wanted: SecretReference
) -> DeliveryError:
    """Return the error that a problem document stands for.

    By its type and in words of our own: the engine's log is no place for texts from elsewhere.
    """
    match = _PROBLEM.fullmatch(str(problem.get("type")))
    kind = match[1] if match else f"status {status}"
    path, version = wanted.path, wanted.version
    this = path if version is None else f"version {version} of {path}"
    match status, kind:
        case 401, _:
            return TokenRefused(f"the vault does not accept the driver's token ({kind}): give it a new one")
        case 403, _:
            return TokenRefused(f"the driver's token may not deliver {path} ({kind}): it needs that scope")
        case 404, "not-granted":
            return NotAllowed(f"not allowed: service {request.service_name} may not have path {path}")
        case 404, "secret-not-found":
            return NotAllowed(f"there is no secret {path}, or the driver's token may not deliver it")
        case 404, "limited-reads":
            return NotAllowed(f"{path} has limited reads, and such a secret is not delivered")
        case 404, "no-such-version":
            return NotAllowed(f"no {this}")
        case 404, _ if match:
            words = kind.removeprefix("secret-").replace("-", " ")
            return NotAllowed(f"{this} cannot be had any more: {words}")
        case ((400 | 404 | 405 | 413 | 415 | 422), _):
            return VaultUnavailable(
                f"the vault does not understand the call ({kind}): check the label of the path,"
                " and that API and driver have the same version"
            )
        case 429, _:
            return VaultUnavailable(f"the vault refuses so many calls ({kind}): see the driver's token")
        case _:
            return VaultUnavailable(f"the vault cannot answer now ({kind}): see its log")


def _value(answer: Mapping[str, Any], wanted: SecretReference) -> bytes:
    if wanted.version is not None and answer.get("version") != wanted.version:
        raise InvalidAnswer(f"the vault answered with another version of {wanted.path}")
    try:
        return base64.b64decode(answer["secret"], validate=True)
    except (KeyError, TypeError, ValueError):
        raise InvalidAnswer(f"the vault answered without a value of {wanted.path}") from None


def _encode(value: bytes, wanted: SecretReference) -> str:
    content = base64.b64encode(value) if wanted.as_base64 else value
    if not 1 <= len(content) <= MAX_VALUE_BYTES:
        raise InvalidAnswer(
            f"the value of {wanted.path} makes a file of {len(content)} bytes:"
            f" Swarm takes 1 to {MAX_VALUE_BYTES}"
        )
    return base64.b64encode(content).decode()
