"""Deletes, restores and destroys versions."""

from __future__ import annotations

from flask import Response

from ...errors import InvalidFields
from ...models import Action
from ...secrets import versions
from ...strict_json import Number
from ..dependencies import dependencies
from . import answers, body
from .call import KvCall


def delete_current(kv: KvCall) -> Response:
    """Delete the current version; the secret stays."""
    ref = kv.written(Action.DELETE)
    versions.delete(dependencies().secrets, kv.call.entry, kv.call.principal, ref, None)
    return answers.nothing()


def delete(kv: KvCall) -> Response:
    """Delete the versions in the body."""
    ref = kv.written(Action.DELETE)
    versions.delete(dependencies().secrets, kv.call.entry, kv.call.principal, ref, _numbers())
    return answers.nothing()


def undelete(kv: KvCall) -> Response:
    """Restore the versions in the body."""
    ref = kv.written(Action.DELETE)
    versions.undelete(dependencies().secrets, kv.call.entry, kv.call.principal, ref, _numbers())
    return answers.nothing()


def destroy(kv: KvCall) -> Response:
    """Remove the values of the versions in the body."""
    ref = kv.written(Action.DELETE)
    versions.destroy(dependencies().secrets, kv.call.entry, kv.call.principal, ref, _numbers())
    return answers.nothing()


def _numbers() -> frozenset[int]:
    sent = body.read_object().get("versions")
    match sent:
        case list():
            items = sent
        case str():
            items = sent.split(",") if sent else []
        case Number():
            items = [sent]
        case _:
            items = []
    try:
        numbers = frozenset(body.integer(item) for item in items)
    except ValueError:
        raise InvalidFields({"versions": ["versions must be whole numbers"]}) from None
    if not numbers:
        raise InvalidFields({"versions": ["No version number provided"]})
    return numbers
