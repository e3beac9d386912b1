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
from ..records import Secret, State, ends_at
from ..store.secret_queries import SecretRef
from . import create, lifecycle, lookup, state
from .create import CreateSecret
from .generate import Content, value_of
from .options import SecretOptions, resolve
from .services import SecretServices

Change = Callable[[Secret, datetime], Secret]


@dataclass(frozen=True, slots=True)
class UpdateSecret:
    """What is to be changed: another value, another path, other settings, in any combination."""

    content: Content | None = field(default=None, repr=False)
    expected_version: int | None = None
    new_path: str | None = None
    options: SecretOptions = field(default_factory=SecretOptions)


def update(
    services: SecretServices, entry: Entry, principal: Principal, ref: SecretRef, request: UpdateSecret
) -> Secret:
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
        KeyRingMismatch: the key ring does not fit the data.
        Tampered, UnknownKey: it is not in the place that it was given.
        StoreUnavailable: it may or may not have been changed.
    """
    lookup.audit_target(entry, ref)
    if request.content is None and request.new_path is None and not request.options:
        raise InvalidFields({"_schema": ["nothing to change: give a value, a new_path or a setting"]})
    if request.new_path is not None:
        paths.require_path(request.new_path, "new_path")
        policy.require_path(principal, Action.CREATE, request.new_path)
    value = None if request.content is None else value_of(request.content, services.max_secret_bytes)

    def step(secret: Secret, at: datetime) -> Secret:
        if state.of(secret, at) in (State.LIVE, State.DELETED):
            lifecycle.expect(secret, request.expected_version)
        state.require(secret, at, State.LIVE)
        options = resolve(request.options, at)
        changed = lifecycle.configure(secret, options)
        if request.new_path is not None:
            # Its path says from now on whose it is.
            changed = replace(changed, path=request.new_path, owner=None)
        if value is not None:
            if changed.cas_required and request.expected_version is None:
                raise InvalidFields({"expected_version": ["this secret takes no new value without it"]})
            changed, sealed = secret_values.seal(changed, value, services.ring)
            return lifecycle.add(changed, sealed, options, at, principal.actor)
        if "version_expires_at" in options:
            changed = lifecycle.extend(changed, options["version_expires_at"], at)
        return changed

    try:
        return _change(services, entry, principal, Action.UPDATE, ref, step)
    except SecretDeleted:
        raise
    except SecretNotFound:
        if value is None or request.new_path is not None or request.expected_version != 0 or not ref.is_path:
            raise
    try:
        return create.create_secret(
            services, entry, principal, CreateSecret(value, ref.text, request.options)
        )
    except PathTaken as taken:
        # Somebody was faster, which is a conflict; or the caller may not know of what is there.
        try:
            return _change(services, entry, principal, Action.UPDATE, ref, step)
        except SecretNotFound:
            raise taken from None


def delete(
    services: SecretServices,
    entry: Entry,
    principal: Principal,
    ref: SecretRef,
    numbers: Collection[int] = (),
) -> Secret:
    """Hide a secret, or these versions of it, until it is undone or its time is over.

    Raises:
        SecretNotFound: there is no such secret or version, or the caller may not know of it; to whoever
            may, the message tells what became of it.
        InvalidFields, KeyRingMismatch, Tampered, UnknownKey, StoreUnavailable: as ``update``.
    """

    def step(secret: Secret, at: datetime) -> Secret:
        return lifecycle.delete(secret, numbers, at, principal.actor)

    return _change(services, entry, principal, Action.DELETE, ref, step)


def undelete(
    services: SecretServices,
    entry: Entry,
    principal: Principal,
    ref: SecretRef,
    numbers: Collection[int] = (),
) -> Secret:
    """Bring back a secret, or these versions of it.

    Raises:
        SecretNotFound: as ``delete``; also where it was destroyed, or its time is over.
        InvalidFields, KeyRingMismatch, Tampered, UnknownKey, StoreUnavailable: as ``update``.
    """

    def step(secret: Secret, at: datetime) -> Secret:
        return lifecycle.undelete(secret, numbers, at)

    return _change(services, entry, principal, Action.DELETE, ref, step)


def destroy(
    services: SecretServices,
    entry: Entry,
    principal: Principal,
    ref: SecretRef,
    numbers: Collection[int] = (),
) -> Secret:
    """Take the values of a secret, or of these versions of it, away for good.

    Raises:
        SecretNotFound: as ``delete``.
        InvalidFields, KeyRingMismatch, Tampered, UnknownKey, StoreUnavailable: as ``update``.
    """

    def step(secret: Secret, at: datetime) -> Secret:
        return lifecycle.destroy(secret, numbers, at, principal.actor)

    return _change(services, entry, principal, Action.DELETE, ref, step)


def save_if_unchanged(services: SecretServices, before: Secret, after: Secret, at: datetime) -> bool:
    """Put ``after`` in the place of ``before``; return False where somebody else was faster.

    Raises:
        PathTaken, TooLarge, Tampered, UnknownKey, StoreUnavailable: as ``update``.
    """
    after = secret_values.reseal_legacy(lifecycle.tidy(after, at), services.ring)
    if tags.path_differs(before, after):
        after = tags.sign_path(after, services.ring)
    try:
        return services.secrets.swap(before, after, ends_at(after))
    except PathTaken:
        # What is over leaves the path to others, whether MongoDB's TTL monitor came by or not.
        if after.path is None or not services.secrets.remove_ended([after.path], at):
            raise
        return False


def _change(
    services: SecretServices, entry: Entry, principal: Principal, action: Action, ref: SecretRef, step: Change
) -> Secret:
    while True:
        before = lookup.find_one(services, entry, principal, action, ref, services.secrets.find_whole)
        at = services.clock()
        after = step(before, at)
        if after == before:
            return before
        after = replace(after, updated_at=at)
        if save_if_unchanged(services, before, after, at):
            return after
