"""Deletes, restores and destroys single versions, by numbers that need not exist.

What is not there, or is in that state already, is left alone.  A secret that was deleted as a whole has all
of its versions deleted.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from ..audit.recorder import Entry
from ..errors import SecretNotFound
from ..models import Action, Principal
from ..records import Secret, State
from ..store.secret_queries import SecretRef
from . import lifecycle, modify, state, usage
from .modify import Change
from .services import SecretServices


def delete(
    services: SecretServices,
    entry: Entry,
    principal: Principal,
    ref: SecretRef,
    numbers: Collection[int] | None,
) -> None:
    """Delete these versions, or the current one if None.

    Raises:
        KeyRingMismatch, Tampered, UnknownKey, StoreUnavailable: as ``modify.delete``.
    """

    def step(secret: Secret, at: datetime) -> Secret:
        known = _known(secret, (secret.current,) if numbers is None else numbers)
        if not known or state.of(secret, at) is not State.LIVE:
            return secret
        return lifecycle.delete(secret, known, at, principal.actor)

    _change(services, entry, principal, ref, step)


def undelete(
    services: SecretServices, entry: Entry, principal: Principal, ref: SecretRef, numbers: Collection[int]
) -> None:
    """Restore these versions.

    Raises:
        KeyRingMismatch, Tampered, UnknownKey, StoreUnavailable: as ``modify.undelete``.
    """

    def step(secret: Secret, at: datetime) -> Secret:
        known = _known(secret, numbers)
        if not known or state.of(secret, at) not in (State.LIVE, State.DELETED):
            return secret
        each = lifecycle.delete_each_version(secret, at)
        return lifecycle.restore_versions(each, known, at, services.defaults_of(secret.path))

    _change(services, entry, principal, ref, step)


def destroy(
    services: SecretServices, entry: Entry, principal: Principal, ref: SecretRef, numbers: Collection[int]
) -> None:
    """Remove the values of these versions.

    Raises:
        SecretInUse: a Swarm service is known to use one of them.
        KeyRingMismatch, Tampered, UnknownKey, StoreUnavailable: as ``modify.destroy``.
    """

    def step(secret: Secret, at: datetime) -> Secret:
        known = _known(secret, numbers)
        if not known or state.of(secret, at) not in (State.LIVE, State.DELETED):
            return secret
        usage.require_unused(services, secret, known)
        return lifecycle.destroy(secret, known, at, principal.actor)

    _change(services, entry, principal, ref, step)


def destroy_all(services: SecretServices, entry: Entry, principal: Principal, ref: SecretRef) -> None:
    """Destroy a secret, so that its path is free.

    Raises:
        SecretInUse, KeyRingMismatch, Tampered, UnknownKey, StoreUnavailable: as ``destroy``.
    """
    try:
        modify.destroy(services, entry, principal, ref)
    except SecretNotFound:
        # There is nothing to destroy.
        return


def _known(secret: Secret, numbers: Collection[int]) -> frozenset[int]:
    return frozenset(numbers) & {version.version for version in secret.versions}


def _change(
    services: SecretServices, entry: Entry, principal: Principal, ref: SecretRef, step: Change
) -> None:
    try:
        modify.change_secret(services, entry, principal, Action.DELETE, ref, step)
    except SecretNotFound:
        # There is nothing to change.
        return
