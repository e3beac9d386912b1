"""Which views there are under ``/v1``, by path and method."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from flask import Response

from ...access import mounts
from ...access.mounts import Mount
from ...audit.recorder import Entry
from . import capabilities, config, data, logins, metadata, system, tokens, versions, wrapping
from . import mounts as mount_views
from .call import KvCall


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A view, and its operation in the audit log."""

    operation: str
    view: Callable[[KvCall], Response]


@dataclass(frozen=True, slots=True)
class Proving:
    """A view for callers who prove by what they send who they are, if not by a token; it does that itself."""

    operation: str
    view: Callable[[Entry], Response]


@dataclass(frozen=True, slots=True)
class Open:
    """A view that is about no secret and no token: no record is written, and it asks for a token itself."""

    view: Callable[[str], Response]


Methods = Mapping[str, Endpoint | Proving | Open]


@dataclass(frozen=True, slots=True)
class Found:
    """What a path stands for; ``template`` is how log and metrics call it."""

    template: str
    methods: Methods
    mount: Mount | None
    rest: str


_ON_MOUNT: dict[str, Methods] = {
    "data/<path>": {
        "GET": Endpoint("fetch", data.fetch),
        "POST": Endpoint("update", data.write),
        "PATCH": Endpoint("update", data.patch),
        "DELETE": Endpoint("delete", versions.delete_current),
    },
    "metadata/<path>": {
        "LIST": Endpoint("list", metadata.list_),
        "GET": Endpoint("describe", metadata.describe),
        "POST": Endpoint("update", metadata.write),
        "PATCH": Endpoint("update", metadata.patch),
        "DELETE": Endpoint("destroy", metadata.destroy),
    },
    "config": {
        "GET": Endpoint("folder_describe", config.read),
        "POST": Endpoint("folder_configure", config.write),
    },
    "subkeys/<path>": {"GET": Endpoint("fetch", data.subkeys)},
    "delete/<path>": {"POST": Endpoint("delete", versions.delete)},
    "undelete/<path>": {"POST": Endpoint("undelete", versions.undelete)},
    "destroy/<path>": {"POST": Endpoint("destroy", versions.destroy)},
}
_HEALTH = Open(system.health)
_LOOKUP_SELF = Endpoint("token_whoami", tokens.lookup_self)
_LOOKUP = Endpoint("token_describe", tokens.lookup)
_WRAPPING_LOOKUP = Proving("wrap_lookup", wrapping.lookup)
# Of names that begin alike the longer ones come first.
_OF_SYSTEM: dict[str, Methods] = {
    "sys/health": {"GET": _HEALTH, "HEAD": _HEALTH},
    "sys/seal-status": {"GET": Open(system.seal_status)},
    "sys/leader": {"GET": Open(system.leader)},
    "sys/init": {"GET": Open(system.initialized)},
    "sys/internal/ui/mounts/<path>": {"GET": Open(mount_views.preflight)},
    "sys/internal/ui/mounts": {"GET": Open(mount_views.visible)},
    "sys/mounts/<path>": {"GET": Open(mount_views.one)},
    "sys/mounts": {"GET": Open(mount_views.all_)},
    "sys/capabilities-self": {"POST": Endpoint("token_whoami", capabilities.of_caller)},
    # What is wrapped has a record of its own.
    "sys/wrapping/wrap": {"POST": Endpoint("token_whoami", wrapping.wrap)},
    "sys/wrapping/unwrap": {"POST": Proving("unwrap", wrapping.unwrap)},
    "sys/wrapping/lookup": {"GET": _WRAPPING_LOOKUP, "POST": _WRAPPING_LOOKUP},
    "auth/approle/login": {"POST": Proving("approle_login", logins.log_in)},
    "auth/token/create": {"POST": Endpoint("token_create", tokens.create)},
    "auth/token/create-orphan": {"POST": Endpoint("token_create", tokens.create_orphan)},
    "auth/token/lookup": {"GET": _LOOKUP, "POST": _LOOKUP},
    "auth/token/renew": {"POST": Endpoint("token_renew", tokens.renew)},
    "auth/token/revoke": {"POST": Endpoint("token_revoke", tokens.revoke)},
    "auth/token/lookup-accessor": {"POST": Endpoint("token_describe", tokens.lookup_accessor)},
    "auth/token/revoke-accessor": {"POST": Endpoint("token_revoke", tokens.revoke_accessor)},
    "auth/token/lookup-self": {"GET": _LOOKUP_SELF, "POST": _LOOKUP_SELF},
    "auth/token/renew-self": {"POST": Endpoint("token_renew", tokens.renew_self)},
    "auth/token/revoke-self": {"POST": Endpoint("token_revoke", tokens.revoke_self)},
}


def find(known: Sequence[Mount], path: str) -> Found | None:
    """Return what a client's path stands for, if anything; it is split at whole segments."""
    for name, methods in _OF_SYSTEM.items():
        prefix = name.removesuffix("<path>")
        if path.removesuffix("/") == name:
            return Found(name, methods, None, "")
        if prefix != name and path.startswith(prefix) and path != prefix:
            return Found(name, methods, None, path.removeprefix(prefix))
    on_mount = mounts.find(known, path)
    if on_mount is None:
        return None
    mount, below = on_mount
    verb, _, rest = below.partition("/")
    for name in (f"{verb}/<path>", verb):
        if name in _ON_MOUNT and (name != verb or not rest):
            return Found(f"<mount>/{name}", _ON_MOUNT[name], mount, rest)
    return None


def templates() -> Iterator[tuple[str, str]]:
    """Yield the methods and the names of all routes, as log and metrics call them."""
    for start, table in (("/v1/<mount>/", _ON_MOUNT), ("/v1/", _OF_SYSTEM)):
        for name, methods in table.items():
            for method in methods:
                yield method, start + name
