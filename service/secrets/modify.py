"""Changes secrets.  Every change is read, decided and put in the place of what was read.

Who was second finds something else in that place, and starts again from what is there now: so no change
is lost, and the rules (``life``) need to know of nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..access import paths, policy
from ..audit.recorder import Entry
from ..crypto import secret_values, tags
from ..errors import InvalidFields, PathTaken, SecretDeleted, SecretNotFound
from ..models import Action, Principal
from ..records import Secret, State
from ..store.secret_queries import Name
from . import create, lifecycle, lookup, state
from .create import NewSecret
from .options import Content, Settings
from .vault import Vault

Step = Callable[[Secret, datetime], Secret]


@dataclass(frozen=True, slots=True)
class Update:
    """What is to be changed: another value, another path, other settings, in any combination."""

    content: Content | None = field(default=None, repr=False)
    expected_version: int | None = None
    new_path: str | None = None
    settings: Settings = field(default_factory=Settings)


def update(vault: Vault, entry: Entry, principal: Principal, name: Name, wish: Update) -> Secret:
    """Change a secret, all of what is wished for or nothing.

    With an ``expected_version`` of 0, a path and a value it is created where there is none yet.

    Raises:
        SecretNotFound: there is no such secret, or the caller may not know of it; to whoever may, the
            message tells whether it was deleted, has expired, was destroyed or was already read.
        Forbidden: the caller may not create anything at the new path.
        InvalidFields: nothing is wished for, a path is none, an end is none to come, or the secret
            demands an expected version.
        TooLarge: the value, or all of the secret's values together, are longer than the limit.
        VersionConflict: the secret is at another version than expected.
        PathTaken: another secret has the new path.
        KeyRingUnproven: the key ring does not fit the data.
        Tampered, UnknownKey: it is not in the place that it was given.
        StoreUnavailable: it may or may not have been changed.
    """
    lookup.note(entry, name)
    if wish.content is None and wish.new_path is None and not wish.settings:
        raise InvalidFields({"_schema": ["nothing to change: give a value, a new_path or a setting"]})
    if wish.new_path is not None:
        paths.require_path(wish.new_path, "new_path")
        policy.require_path(principal, Action.CREATE, wish.new_path)
    value = None if wish.content is None else secret_values.content(wish.content, vault.max_secret_bytes)

    def step(secret: Secret, at: datetime) -> Secret:
        if state.of(secret, at) in (State.LIVE, State.DELETED):
            lifecycle.expect(secret, wish.expected_version)
        state.require(secret, at, State.LIVE)
        changed = lifecycle.configure(secret, wish.settings, at)
        if wish.new_path is not None:
            # Its path says from now on whose it is.
            changed = replace(changed, path=wish.new_path, owner=None)
        if value is not None:
            if changed.cas_required and wish.expected_version is None:
                raise InvalidFields({"expected_version": ["this secret takes no new value without it"]})
            sealed = secret_values.seal_next(changed, value, vault.ring)
            return lifecycle.add(changed, sealed, wish.settings, at, principal.actor)
        return (
            lifecycle.extend(changed, wish.settings, at) if "version_expires_at" in wish.settings else changed
        )

    try:
        return _change(vault, entry, principal, Action.UPDATE, name, step)
    except SecretDeleted:
        raise
    except SecretNotFound:
        if value is None or wish.new_path is not None or wish.expected_version != 0 or not name.is_path:
            raise
    try:
        return create.create(vault, entry, principal, NewSecret(value, name.text, wish.settings))
    except PathTaken as taken:
        # Somebody was faster, which is a conflict; or the caller may not know of what is there.
        try:
            return _change(vault, entry, principal, Action.UPDATE, name, step)
        except SecretNotFound:
            raise taken from None


def delete(
    vault: Vault, entry: Entry, principal: Principal, name: Name, numbers: Collection[int] = ()
) -> Secret:
    """Hide a secret, or these versions of it, until it is undone or its time is over.

    Raises:
        SecretNotFound: there is no such secret or version, or the caller may not know of it; to whoever
            may, the message tells what became of it.
        InvalidFields, KeyRingUnproven, Tampered, UnknownKey, StoreUnavailable: as ``update``.
    """

    def step(secret: Secret, at: datetime) -> Secret:
        return lifecycle.delete(secret, numbers, at, principal.actor)

    return _change(vault, entry, principal, Action.DELETE, name, step)


def undelete(
    vault: Vault, entry: Entry, principal: Principal, name: Name, numbers: Collection[int] = ()
) -> Secret:
    """Bring back a secret, or these versions of it.

    Raises:
        SecretNotFound: as ``delete``; also where it was destroyed, or its time is over.
        InvalidFields, KeyRingUnproven, Tampered, UnknownKey, StoreUnavailable: as ``update``.
    """

    def step(secret: Secret, at: datetime) -> Secret:
        return lifecycle.undelete(secret, numbers, at)

    return _change(vault, entry, principal, Action.DELETE, name, step)


def destroy(
    vault: Vault, entry: Entry, principal: Principal, name: Name, numbers: Collection[int] = ()
) -> Secret:
    """Take the values of a secret, or of these versions of it, away for good.

    Raises:
        SecretNotFound: as ``delete``.
        InvalidFields, KeyRingUnproven, Tampered, UnknownKey, StoreUnavailable: as ``update``.
    """

    def step(secret: Secret, at: datetime) -> Secret:
        return lifecycle.destroy(secret, numbers, at, principal.actor)

    return _change(vault, entry, principal, Action.DELETE, name, step)


def keep(vault: Vault, before: Secret, after: Secret, at: datetime) -> bool:
    """Put ``after`` in the place of ``before``; return False where somebody else was faster.

    Raises:
        PathTaken, TooLarge, Tampered, UnknownKey, StoreUnavailable: as ``update``.
    """
    after = secret_values.sealed_anew(lifecycle.tidy(after, at), vault.ring)
    if tags.differs(before, after):
        after = tags.tagged(after, vault.ring)
    try:
        return vault.secrets.swap(before, after, state.ends_at(after))
    except PathTaken:
        # What is over leaves the path to others, whether MongoDB's TTL monitor came by or not.
        if after.path is None or not vault.secrets.remove_ended([after.path], at):
            raise
        return False


def _change(
    vault: Vault, entry: Entry, principal: Principal, action: Action, name: Name, step: Step
) -> Secret:
    while True:
        before = lookup.find_one(vault, entry, principal, action, name, vault.secrets.find_whole)
        at = vault.clock()
        after = step(before, at)
        if after == before:
            return before
        after = replace(after, updated_at=at)
        if keep(vault, before, after, at):
            return after
