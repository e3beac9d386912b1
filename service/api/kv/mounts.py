"""``sys/mounts`` and ``sys/internal/ui/mounts``: which mounts there are, all of them of KV version 2."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response

from ...access import mounts, policy
from ...access.mounts import Mount
from ...errors import AuditUnavailable, Unavailable
from ..dependencies import dependencies
from . import answers, authentication

_LEASES = {"default_lease_ttl": 0, "max_lease_ttl": 0, "force_no_cache": False}


def preflight(path: str) -> Response:
    """Return the mount that a path is on, to a caller who has any scope there.

    The command line asks this before each command.  It takes a 404 for KV version 1, and consul-template
    remembers any failure as that until it is restarted.  So neither the secret nor the form of the path
    matter, and if the token cannot be looked up just now, the mount is shown: the call that follows decides.
    """
    on_mount = mounts.find(dependencies().kv_mounts, path.rstrip("/"))
    try:
        principal = authentication.authenticate_unrecorded()
        allowed = on_mount is not None and policy.reaches(principal, on_mount[0].prefix)
    except AuditUnavailable:
        raise
    except Unavailable:
        allowed = True
    if on_mount is None or not allowed:
        return answers.refusal(
            403,
            "preflight capability check returned 403, please ensure client's policies grant access to path"
            f' "{path.rstrip("/")}/"',
        )
    return answers.envelope({"path": f"{on_mount[0].name}/", **_mount(on_mount[0])})


def visible(_rest: str) -> Response:
    """Return the mounts on which the caller has any scope; none without a token."""
    if authentication.token() is None:
        return answers.envelope({"secret": {}, "auth": {}})
    principal = authentication.authenticate_unrecorded()
    found = [mount for mount in dependencies().kv_mounts if policy.reaches(principal, mount.prefix)]
    return answers.envelope({"secret": {f"{mount.name}/": _mount(mount) for mount in found}, "auth": {}})


def all_(_rest: str) -> Response:
    """Return all mounts."""
    authentication.authenticate_unrecorded()
    found = {f"{mount.name}/": _mount(mount) for mount in dependencies().kv_mounts}
    return answers.envelope(found, repeated=True)


def one(rest: str) -> Response:
    """Return a mount, or what can be tuned of it."""
    authentication.authenticate_unrecorded()
    name = rest.rstrip("/")
    shown = _by_name(name)
    if shown is None and name.endswith("/tune"):
        shown = _by_name(name.removesuffix("/tune"))
        shown = shown and {**_LEASES, "description": "", "options": shown["options"]}
    if shown is None:
        return answers.refusal(400, f"No secret engine mount at {name}/")
    return answers.envelope(shown, repeated=True)


def _by_name(name: str) -> dict[str, Any] | None:
    return next((_mount(mount) for mount in dependencies().kv_mounts if mount.name == name), None)


def _mount(mount: Mount) -> dict[str, Any]:
    known = uuid.uuid5(uuid.NAMESPACE_URL, f"secret-manager/{mount.name}")
    return {
        "type": "kv",
        # A text: Go's client would panic at a number.
        "options": {"version": "2"},
        "description": "",
        "accessor": f"kv_{known.hex[:8]}",
        "uuid": str(known),
        "local": False,
        "seal_wrap": False,
        "external_entropy_access": False,
        "config": _LEASES,
    }
