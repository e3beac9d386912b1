"""Reads and sets the defaults of folders; see ``folder_defaults``."""

from __future__ import annotations

import time
from dataclasses import replace

from ..access import policy
from ..audit.recorder import Entry
from ..crypto import tags
from ..errors import Forbidden, PathTaken
from ..models import Action, Principal
from ..records import INHERIT, Defaults, Secret
from . import lifecycle
from .defaults import NONE
from .folder_defaults import HOLD_SECONDS, ROOT, defaults_of, id_of
from .options import SecretOptions, resolve
from .services import SecretServices


def describe(services: SecretServices, entry: Entry, principal: Principal, folder: str) -> Defaults:
    """Return the defaults that a folder itself has; it ends with its slash, and the empty one has all paths.

    Raises:
        Forbidden: the caller has no scope on any path in it.
        Tampered, UnknownKey, StoreUnavailable: as ``FolderDefaults.of``.
    """
    entry.path = folder or ROOT
    if not policy.reaches(principal, folder):
        raise Forbidden("the token lacks a scope for any path in this folder")
    records = services.folders.find([folder or ROOT])
    return defaults_of(records[0]) if records else NONE


def configure(
    services: SecretServices, entry: Entry, principal: Principal, folder: str, options: SecretOptions
) -> Defaults:
    """Set defaults of a folder, and return all of them once they are in force in every process.

    Raises:
        Forbidden: the caller is not an administrator.
        KeyRingMismatch: the key ring does not fit the data.
        Tampered, UnknownKey, StoreUnavailable: as ``FolderDefaults.of``; it may or may not have been changed.
    """
    policy.require(principal, Action.ADMIN)
    path = entry.path = folder or ROOT
    services.key_check.require()
    while True:
        at = services.clock()
        records = services.folders.find([path])
        before = (
            records[0]
            if records
            else Secret(
                secret_id=id_of(path),
                current=0,
                versions=(),
                created_at=at,
                created_by=principal.actor,
                path=path,
                max_versions=INHERIT,
            )
        )
        after = lifecycle.configure(before, resolve(options, at))
        if _save(services, before, replace(after, updated_at=at), is_new=not records):
            time.sleep(HOLD_SECONDS)
            return defaults_of(after)


def _save(services: SecretServices, before: Secret, after: Secret, *, is_new: bool) -> bool:
    """Save a record; return False if somebody else has changed it or made it meanwhile."""
    if not is_new:
        return services.secrets.swap(before, tags.sign_change(before, after, services.ring), None)
    try:
        services.secrets.insert(tags.sign_secret(after, services.ring), None)
    except PathTaken:
        return False
    return True
