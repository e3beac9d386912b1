"""What the engine asks for: which Docker secret, for which task, and which secret of the vault that is.

The fields are those of swarmkit's ``SecretsProviderRequest`` (manager/drivers/secrets.go).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import EmptyRequest, InvalidLabels, MalformedRequest

LABELS = "secret-manager."
PATH = f"{LABELS}path"
VERSION = f"{LABELS}version"
ENCODING = f"{LABELS}encoding"

CURRENT = "current"
_KNOWN = (PATH, VERSION, ENCODING)
# The vault has the rules for paths and their only limit that matters here.
_PATH = re.compile(r"[!-~]{1,512}")
_NUMBER = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)
_MAX_VERSION = 2**31 - 1


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """One call of the engine; a field that the engine left out is empty."""

    docker_secret: str
    secret_labels: Mapping[str, str]
    service_id: str
    service_name: str
    service_labels: Mapping[str, str]
    image: str
    task_id: str
    task_name: str
    node_id: str


@dataclass(frozen=True, slots=True)
class SecretReference:
    """Which secret of the vault; ``version`` is None for the current one.

    ``as_base64`` says whether the task's file holds the value's base64 instead of the value.
    """

    path: str
    version: int | None
    as_base64: bool


def parse(body: bytes) -> EngineRequest:
    """Parse the body of a call, whatever content type it has.

    Raises:
        EmptyRequest: there is no body.
        MalformedRequest: it is not a JSON object, a field has another type, or the ids of service, task and
            node are missing.
    """
    if not body:
        raise EmptyRequest("the body is empty: the engine repeats a call whose connection broke without it")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedRequest("the body is not a JSON document") from None
    if not isinstance(document, dict):
        raise MalformedRequest("the body is not a JSON object")
    request = EngineRequest(
        docker_secret=_text(document, "SecretName"),
        secret_labels=_labels(document, "SecretLabels"),
        service_id=_text(document, "ServiceID"),
        service_name=_text(document, "ServiceName"),
        service_labels=_labels(document, "ServiceLabels"),
        image=_text(document, "TaskImage"),
        task_id=_text(document, "TaskID"),
        task_name=_text(document, "TaskName"),
        node_id=_text(document, "NodeID"),
    )
    if not request.docker_secret:
        raise MalformedRequest("the field SecretName is missing")
    if not (request.service_id and request.service_name and request.task_id and request.node_id):
        raise MalformedRequest(
            "the call names no service, task and node: it comes from an engine before 19.03,"
            " or is for a volume, and neither can have secrets from here"
        )
    return request


def reference(request: EngineRequest) -> SecretReference:
    """Return which secret of the vault the labels of the Docker secret name.

    Raises:
        InvalidLabels: a label is missing, invalid or unknown; the message says which.
    """
    labels = {name: text for name, text in request.secret_labels.items() if name.startswith(LABELS)}
    for name in labels:
        if name not in _KNOWN:
            raise InvalidLabels(
                f"the Docker secret {request.docker_secret} has the label {name}, which means nothing:"
                f" there are {', '.join(_KNOWN)}"
            )
    for name in (PATH, VERSION):
        if name not in labels:
            raise InvalidLabels(f"the Docker secret {request.docker_secret} lacks the label {name}")
    if not _PATH.fullmatch(labels[PATH]):
        raise InvalidLabels(f"the label {PATH} of the Docker secret {request.docker_secret} is not a path")
    encoding = labels.get(ENCODING)
    if encoding not in {None, "base64"}:
        raise InvalidLabels(
            f"the label {ENCODING} of the Docker secret {request.docker_secret} must be base64, or left out"
        )
    return SecretReference(
        labels[PATH], _version(request.docker_secret, labels[VERSION]), encoding is not None
    )


def _version(docker_secret: str, text: str) -> int | None:
    if text == CURRENT:
        return None
    if not _NUMBER.fullmatch(text) or int(text) > _MAX_VERSION:
        raise InvalidLabels(
            f"the label {VERSION} of the Docker secret {docker_secret} must be a number from 1, or {CURRENT}"
        )
    return int(text)


def _text(document: Mapping[str, Any], name: str) -> str:
    # Go's encoder writes null where a pointer or a map is nil.
    found = document.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise MalformedRequest(f"the field {name} is not a text")
    return found


def _labels(document: Mapping[str, Any], name: str) -> Mapping[str, str]:
    found = document.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise MalformedRequest(f"the field {name} is not an object of texts")
    return found
