"""What a grant may say, and whether it covers a task.  Pure rules.

A pattern of services is a name, the beginning of one followed by ``*``, or ``*``; a pattern of paths is as in
a scope.  Without a ``*`` it is the whole name: ``billing_api`` does not stand for ``billing_api2``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ..access import scopes, token_format
from ..errors import InvalidFields
from ..models import Grant

MAX_CHARACTERS = 8192

# Wider than what engines accept today; nothing that could break a line, and no wildcard.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}", re.ASCII)
ID = re.compile(r"[A-Za-z0-9]{1,64}", re.ASCII)
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,511}@sha256:[0-9a-f]{64}", re.ASCII)
_WILDCARD = "*"


@dataclass(frozen=True, slots=True)
class GrantRequest:
    """A grant to create."""

    services: tuple[str, ...]
    paths: tuple[str, ...]
    nodes: tuple[str, ...] = ()
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who a value is for, as the Swarm's manager says; a text is empty if it is not known.

    ``service`` and ``docker_secret`` are names.
    """

    service: str
    service_id: str = ""
    image: str = ""
    task_id: str = ""
    node_id: str = ""
    docker_secret: str = ""


def validate(request: GrantRequest) -> None:
    """Check that the request is valid.

    Raises:
        InvalidFields: it is not; the messages say how to write it.
    """
    rules: dict[str, tuple[tuple[str, ...], Callable[[str], bool], str]] = {
        "services": (
            request.services,
            _is_service_pattern,
            "write a service's name, or its beginning and a *: billing_api, billing_* or *",
        ),
        "paths": (
            request.paths,
            scopes.is_pattern,
            "write team/app/db-password, team/app/* for all below, or *",
        ),
        "nodes": (request.nodes, is_id, "write a node's id, as docker node ls shows it"),
        "images": (
            request.images,
            _is_image,
            "write an image with its digest, as the service has it: name:tag@sha256:… (a tag can be moved)",
        ),
    }
    errors = {
        field: [message] for field, (texts, check, message) in rules.items() if not all(map(check, texts))
    }
    errors |= {field: ["give at least one"] for field in ("services", "paths") if not getattr(request, field)}
    if not errors and sum(len(text) for texts, _, _ in rules.values() for text in texts) > MAX_CHARACTERS:
        errors = {"_schema": [f"a grant may have {MAX_CHARACTERS} characters in all: use patterns"]}
    if errors:
        raise InvalidFields(errors)


def covers(grant: Grant, recipient: Recipient, path: str) -> bool:
    """Return whether the grant lets the recipient have the secret at ``path``: all conditions must hold."""
    return (
        any(_matches(pattern, recipient.service) for pattern in grant.services)
        and any(scopes.matches(pattern, path) for pattern in grant.paths)
        and (not grant.nodes or recipient.node_id in grant.nodes)
        and (not grant.images or recipient.image in grant.images)
    )


def is_name(text: str) -> bool:
    """Return whether ``text`` can be the name of a service or of a Docker secret."""
    return NAME.fullmatch(text) is not None and not token_format.is_within(text)


def is_id(text: str) -> bool:
    """Return whether ``text`` can be an id that the Swarm gave."""
    return ID.fullmatch(text) is not None


def _is_service_pattern(text: str) -> bool:
    return text == _WILDCARD or is_name(text.removesuffix(_WILDCARD))


def _is_image(text: str) -> bool:
    return _IMAGE.fullmatch(text) is not None and not token_format.is_within(text)


def _matches(pattern: str, name: str) -> bool:
    if pattern.endswith(_WILDCARD):
        return name.startswith(pattern.removesuffix(_WILDCARD))
    return name == pattern
