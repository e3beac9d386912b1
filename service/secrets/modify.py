"""Changes secrets by compare-and-swap: read, apply the rule, save if the secret is still as it was read.

If another caller was faster, the change starts over with the new state.  So no update is lost, and the
rules in ``lifecycle`` need not consider concurrency.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..access import paths, policy
from ..audit.recorder import Entry
from ..crypto import secret_values, tags
from ..errors import ExpectedVersionRequired, InvalidFields, PathTaken, SecretDeleted, SecretNotFound
from ..models import Action, Principal
from ..records import Secret, State, ends_at
from ..store.secret_queries import SecretRef
from . import create, lifecycle, lookup, rights, state, usage
from .create import CreateSecret
from .defaults import applied
from .generate import Content, value_of
from .options import SecretOptions, resolve
from .services import SecretServices

Change = Callable[[Secret, datetime], Secret]


@dataclass(frozen=True, slots=True)
class UpdateSecret:
    """What to change: the value, the path, options, in any combination."""

    content: Content | None = field(default=None, repr=False)
    expected_version: int | None = None
    new_path: str | None = None
    options: SecretOptions = field(default_factory=SecretOptions)


def update(
    services: SecretServices, entry: Entry, principal: Principal, ref: SecretRef, request: UpdateSecret
) -> Secret:
    """Apply the whole request to a secret, or nothing of it.

    With ``expected_version`` 0, a path and a value, the secret is created if it does not exist.

    Raises:
        SecretNotFound: there is no such secret, or the caller may not know of it; to a caller who may, the
            message says whether it was deleted, has expired, was destroyed or was already read.
        Forbidden: the caller may not create a secret at the new path, or not do to this one what the change
            amounts to (``rights``).
        InvalidFields: the request is empty, a path is malformed, an expiry is not in the future, or the
            secret requires an expected version.
        TooLarge: the value, or all of the secret's values together, exceed the limit.
        VersionConflict: the secret is not at the expected version.
        PathTaken: another secret has the new path.
        KeyRingMismatch: the key ring does not fit the data.
        Tampered, UnknownKey: its document does not authenticate.
        StoreUnavailable: it may or may not have been changed.
    """
    lookup.audit_target(entry, ref)
    if request.content is None and request.new_path is None and not request.options:
        raise InvalidFields({"_schema": ["nothing to change: give a value, a new_path or a setting"]})
    if request.new_path is not None:
        paths.require_path(request.new_path, "new_path")
        entry.new_path = request.new_path
        policy.require_path(principal, Action.CREATE, request.new_path)
    value = None if request.content is None else value_of(request.content, services.max_secret_bytes)

    def step(secret: Secret, at: datetime) -> Secret:
        changed = change(secret, at)
        for action in sorted(rights.needed(secret, changed, services.defaults_of)):
            policy.require_on(principal, action, secret.path, secret.owner)
        return changed

    def change(secret: Secret, at: datetime) -> Secret:
        if state.of(secret, at) in (State.LIVE, State.DELETED):
            lifecycle.expect(secret, request.expected_version)
        state.require(secret, at, State.LIVE)
        options = resolve(request.options, at)
        changed = lifecycle.configure(secret, options)
        if request.new_path is not None:
            # From now on access follows from the path, no longer from the owner.
            changed = replace(changed, path=request.new_path, owner=None)
        if value is not None:
            defaults = services.defaults_of(changed.path)
            if applied(changed, defaults).cas_required and request.expected_version is None:
                raise ExpectedVersionRequired
            sealed = secret_values.seal(changed, value, services.ring)
            return lifecycle.add(changed, sealed, options, at, principal.actor, defaults)
        if "version_expires_at" in options:
            changed = lifecycle.extend(changed, options["version_expires_at"], at)
        return changed

    try:
        return change_secret(services, entry, principal, Action.UPDATE, ref, step)
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
        # Either a concurrent call created it, which is a conflict, or the caller may not know of it.
        try:
            return change_secret(services, entry, principal, Action.UPDATE, ref, step)
        except SecretNotFound:
            raise taken from None


def delete(
    services: SecretServices,
    entry: Entry,
    principal: Principal,
    ref: SecretRef,
    numbers: Collection[int] = (),
) -> Secret:
    """Delete a secret, or only these versions of it; ``undelete`` reverses that until the secret expires.

    Raises:
        SecretNotFound: there is no such secret or version, or the caller may not know of it; to a caller
            who may, the message says what happened to it.
        InvalidFields, KeyRingMismatch, Tampered, UnknownKey, StoreUnavailable: as ``update``.
    """

    def step(secret: Secret, at: datetime) -> Secret:
        return lifecycle.delete(secret, numbers, at, principal.actor)

    return change_secret(services, entry, principal, Action.DELETE, ref, step)


def undelete(
    services: SecretServices,
    entry: Entry,
    principal: Principal,
    ref: SecretRef,
    numbers: Collection[int] = (),
) -> Secret:
    """Restore a deleted secret, or only these versions of it.

    Raises:
        SecretNotFound: as ``delete``; also if it was destroyed or has expired.
        InvalidFields, KeyRingMismatch, Tampered, UnknownKey, StoreUnavailable: as ``update``.
    """

    def step(secret: Secret, at: datetime) -> Secret:
        return lifecycle.undelete(secret, numbers, at)

    return change_secret(services, entry, principal, Action.DELETE, ref, step)


def destroy(
    services: SecretServices,
    entry: Entry,
    principal: Principal,
    ref: SecretRef,
    numbers: Collection[int] = (),
    *,
    in_use: bool = False,
) -> Secret:
    """Remove the values of a secret, or only of these versions of it; this cannot be undone.

    Raises:
        SecretNotFound: as ``delete``.
        SecretInUse: a Swarm service is known to use one of them, and ``in_use`` is False.
        InvalidFields, KeyRingMismatch, Tampered, UnknownKey, StoreUnavailable: as ``update``.
    """

    def step(secret: Secret, at: datetime) -> Secret:
        if not in_use:
            usage.require_unused(services, secret, numbers)
        return lifecycle.destroy(secret, numbers, at, principal.actor)

    return change_secret(services, entry, principal, Action.DELETE, ref, step)


def save_if_unchanged(services: SecretServices, before: Secret, after: Secret, at: datetime) -> bool:
    """Replace ``before`` by ``after``; return False if the stored secret is no longer ``before``.

    Raises:
        PathTaken, TooLarge, Tampered, UnknownKey, StoreUnavailable: as ``update``.
    """
    tidied = lifecycle.tidy(after, at, services.defaults_of(after.path))
    after = secret_values.reseal_legacy(tidied, services.ring)
    after = tags.sign_change(before, after, services.ring)
    try:
        return services.secrets.swap(before, after, ends_at(after))
    except PathTaken:
        # An expired secret frees its path, even if MongoDB's TTL monitor has not removed it yet.
        if after.path is None or not services.secrets.remove_ended([after.path], at):
            raise
        return False


def change_secret(
    services: SecretServices,
    entry: Entry,
    principal: Principal,
    action: Action,
    ref: SecretRef,
    step: Change,
    *,
    explain: bool = True,
) -> Secret:
    """Save the secret as ``step`` returns it, which is called again if another caller was faster.

    ``explain`` as for ``lookup.find_one``.

    Raises:
        SecretNotFound: there is no such secret, or the caller may not do ``action`` to it.
        PathTaken, TooLarge, KeyRingMismatch, Tampered, UnknownKey, StoreUnavailable: as ``update``.
    """
    while True:
        before = lookup.find_one(
            services, entry, principal, action, ref, services.secrets.find_whole, explain=explain
        )
        at = services.clock()
        after = step(before, at)
        if after == before:
            return before
        after = replace(after, updated_at=at)
        if save_if_unchanged(services, before, after, at):
            return after
