"""``config`` of a mount: the defaults of the folder that it stands for."""

from __future__ import annotations

from flask import Response

from ...secrets import folders
from ..dependencies import dependencies
from . import answers, body, go, options
from .call import KvCall


def read(kv: KvCall) -> Response:
    """Return the defaults."""
    found = folders.describe(dependencies().secrets, kv.call.entry, kv.call.principal, _folder(kv))
    return answers.envelope(
        {
            "max_versions": found.max_versions,
            "cas_required": found.cas_required,
            "delete_version_after": go.duration(found.delete_version_after),
        }
    )


def write(kv: KvCall) -> Response:
    """Set those that are sent."""
    wanted = options.parse(body.read_object())
    folders.configure(dependencies().secrets, kv.call.entry, kv.call.principal, _folder(kv), wanted)
    return answers.nothing()


def _folder(kv: KvCall) -> str:
    return "" if kv.mount is None else kv.mount.prefix
