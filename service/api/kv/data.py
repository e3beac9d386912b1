"""``data`` and ``subkeys``: reads, writes and patches values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import Response, request

from ...errors import AlreadyRead, InvalidFields, SecretNotFound
from ...models import Action
from ...records import FetchedSecret
from ...secrets import put, read
from ...secrets.read import SecretVersionRef
from ..dependencies import dependencies
from . import answers, body, shown, values
from .call import KvCall

_LIMITED = "the secret's reads are limited: read its data instead"


def fetch(kv: KvCall) -> Response:
    """Return a value and its version's metadata; of a deleted or destroyed version only the latter."""
    if kv.is_folder:
        return answers.refusal(404)
    ref = SecretVersionRef(kv.secret(Action.FETCH), _version())
    call = kv.call
    try:
        found = read.fetch(dependencies().secrets, call.entry, call.principal, ref)
    except SecretNotFound as error:
        return _gone(kv, ref, error, "data")
    return answers.envelope({"data": values.to_object(found.plaintext), "metadata": shown.fetched(found)})


def subkeys(kv: KvCall) -> Response:
    """Return the names in a value, without what they stand for."""
    if kv.is_folder:
        return answers.refusal(404)
    ref = SecretVersionRef(kv.secret(Action.FETCH), _version())
    depth = _natural("depth") or 0
    call = kv.call
    try:
        secret, _ = read.find_version(dependencies().secrets, call.entry, call.principal, ref)
        if secret.max_reads is not None:
            raise InvalidFields({"path": [_LIMITED]})
        found: FetchedSecret = read.fetch(dependencies().secrets, call.entry, call.principal, ref)
    except SecretNotFound as error:
        return _gone(kv, ref, error, "subkeys")
    names = values.names_only(values.to_object(found.plaintext), depth)
    return answers.envelope({"subkeys": names, "metadata": shown.fetched(found)})


def write(kv: KvCall) -> Response:
    """Add a version, to a new secret if there is none; return the version's metadata."""
    ref = kv.written(Action.UPDATE, Action.CREATE)
    data, expected = _data_and_cas()
    call = kv.call
    secret = put.put(dependencies().secrets, call.entry, call.principal, ref, values.to_bytes(data), expected)
    return answers.envelope(shown.current_of(secret))


def patch(kv: KvCall) -> Response:
    """Add a version with the current value changed by a JSON merge patch."""
    ref = kv.written(Action.UPDATE)
    data, expected = _data_and_cas()
    call = kv.call
    merge = partial(values.merged, patch=data)
    try:
        secret = put.patch(dependencies().secrets, call.entry, call.principal, ref, merge, expected)
    except SecretNotFound as error:
        return _gone(kv, SecretVersionRef(ref), error, None)
    return answers.envelope(shown.current_of(secret))


def _gone(kv: KvCall, ref: SecretVersionRef, error: SecretNotFound, member: str | None) -> Response:
    """Return why there is no value: a version's metadata, with null as ``member``, if it is kept.

    Clients tell a deleted version by that from a secret that never was.

    Raises:
        SecretNotFound: there is none.
    """
    if isinstance(error, AlreadyRead):
        raise error
    try:
        # Whoever may not fetch it is not shown its metadata either.
        secret, version = read.find_version(dependencies().secrets, kv.call.entry, kv.call.principal, ref)
    except SecretNotFound:
        raise error from None
    kv.call.entry.reason = error.reason
    metadata = shown.version_of(secret, version)
    return answers.envelope(metadata if member is None else {member: None, "metadata": metadata}, status=404)


def _version() -> int | None:
    """Return the version that the query asks for, or None for the current one."""
    return _natural("version") or None


def _natural(name: str) -> int:
    try:
        return max(0, body.integer(request.args.get(name, "") or "0"))
    except ValueError:
        raise InvalidFields({name: [f"{name} must be a whole number"]}) from None


def _data_and_cas() -> tuple[dict[str, Any], int | None]:
    sent = body.read_object()
    if (data := sent.get("data")) is None:
        raise InvalidFields({"data": ["no data provided"]})
    if not isinstance(data, dict):
        raise InvalidFields({"data": ["data must be an object"]})
    options = sent.get("options")
    if not isinstance(options, Mapping):
        if options is not None:
            raise InvalidFields({"options": ["options must be an object"]})
        options = {}
    # Whoever sends null means to check: it is not the same as nothing.
    if "cas" not in options:
        return data, None
    try:
        return data, body.integer(options["cas"])
    except ValueError:
        raise InvalidFields({"options": ["error parsing check-and-set parameter"]}) from None
