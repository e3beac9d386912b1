"""``sys/capabilities-self``: what a caller may do at paths, in Vault's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from ...access import mounts, policy
from ...errors import InvalidFields
from ...models import Action, Principal
from ..dependencies import dependencies
from . import answers, body
from .call import KvCall

_DELETES = {"update": Action.DELETE}
_WRITES = {
    "create": Action.CREATE,
    "delete": Action.DELETE,
    "patch": Action.UPDATE,
    "update": Action.UPDATE,
}
_BY_VERB: dict[str, Mapping[str, Action]] = {
    "data": {**_WRITES, "read": Action.FETCH},
    "metadata": {**_WRITES, "list": Action.LIST, "read": Action.LIST},
    "delete": _DELETES,
    "undelete": _DELETES,
    "destroy": _DELETES,
    "subkeys": {"read": Action.FETCH},
}


def of_caller(kv: KvCall) -> Response:
    """Return the capabilities at each path in the body; a token in it is ignored."""
    sent = body.read_object()
    paths: Any = sent.get("paths") or sent.get("path")
    if isinstance(paths, str):
        paths = paths.split(",")
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise InvalidFields({"paths": ["paths must be supplied"]})
    found: dict[str, Any] = {path: _capabilities(kv.call.principal, path) for path in paths}
    if len(paths) == 1:
        found["capabilities"] = found[paths[0]]
    return answers.envelope(found, repeated=True)


def _capabilities(principal: Principal, path: str) -> list[str]:
    if policy.is_admin(principal):
        return ["root"]
    on_mount = mounts.find(dependencies().kv_mounts, path.lstrip("/"))
    if on_mount is None:
        return ["deny"]
    mount, below = on_mount
    verb, _, rest = below.partition("/")
    secret = mount.prefix + rest
    folder = secret if not rest or rest.endswith("/") else f"{secret}/"
    names = [
        name
        for name, action in sorted(_BY_VERB.get(verb, {}).items())
        if policy.has_scope(principal, action, secret)
        or (name == "list" and policy.reaches(principal, folder, action))
    ]
    return names or ["deny"]
