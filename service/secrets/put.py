"""Writes to a path whatever is there: the first write creates the secret, the following ones change it.

A secret that was deleted as a whole is in use again after a write; its versions stay deleted.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ..access import policy
from ..audit.recorder import Entry
from ..crypto import secret_values
from ..errors import ExpectedVersionRequired, InvalidFields, PathTaken, SecretNotFound, VersionConflict
from ..models import Action, Principal
from ..records import Secret, State
from ..store.secret_queries import SecretRef
from . import lifecycle, rights, state
from .create import CreateSecret, create_secret
from .defaults import applied
from .generate import value_of
from .modify import Change, change_secret
from .options import SecretOptions, resolve
from .services import SecretServices


def put(
    services: SecretServices,
    entry: Entry,
    principal: Principal,
    ref: SecretRef,
    value: bytes,
    expected_version: int | None,
) -> Secret:
    """Add a version at a path, to a new secret if there is none; ``expected_version`` 0 stands for none.

    Raises:
        Forbidden: the caller may not create the secret if there is none, or not update it if there is.
        ExpectedVersionRequired, VersionConflict: another version is expected, or none although one must be.
        TooLarge, KeyRingMismatch, Tampered, UnknownKey, StoreUnavailable: as ``modify.update``.
    """
    value_of(value, services.max_secret_bytes)

    def step(secret: Secret, at: datetime) -> Secret:
        state.require(secret, at, State.LIVE, State.DELETED)
        _expect(services, secret, expected_version)
        return _add(services, principal, lifecycle.delete_each_version(secret, at), value, at)

    def create() -> Secret:
        if expected_version is None and services.defaults_of(ref.text).cas_required:
            raise ExpectedVersionRequired
        if expected_version:
            raise VersionConflict(0)
        return create_secret(services, entry, principal, CreateSecret(value, ref.text))

    return _change_or_create(services, entry, principal, ref, step, create)


def patch(
    services: SecretServices,
    entry: Entry,
    principal: Principal,
    ref: SecretRef,
    transform: Callable[[bytes], bytes],
    expected_version: int | None,
) -> Secret:
    """Add a version with what ``transform`` makes of the current value.

    Raises:
        SecretNotFound: there is no such secret, the caller may not update it, or it has no current value.
        InvalidFields: its reads are limited; or raised by ``transform``.
        ExpectedVersionRequired, VersionConflict, TooLarge, KeyRingMismatch, Tampered, UnknownKey,
            StoreUnavailable: as ``put``.
    """

    def step(secret: Secret, at: datetime) -> Secret:
        version = state.readable(secret, None, at)
        if secret.max_reads is not None:
            raise InvalidFields({"path": ["the secret's reads are limited: write the whole value instead"]})
        _expect(services, secret, expected_version)
        value = transform(secret_values.open_(secret, version, services.ring))
        return _add(services, principal, secret, value_of(value, services.max_secret_bytes), at)

    return change_secret(services, entry, principal, Action.UPDATE, ref, step)


def put_options(
    services: SecretServices, entry: Entry, principal: Principal, ref: SecretRef, options: SecretOptions
) -> Secret:
    """Set options at a path; if there is no secret, of a new one without a value.

    Raises:
        Forbidden: as ``put``; also if the change amounts to more than an update (``rights``).
        InvalidFields: an option is invalid.
        KeyRingMismatch, Tampered, UnknownKey, StoreUnavailable: as ``put``.
    """

    def create() -> Secret:
        return create_secret(services, entry, principal, CreateSecret(None, ref.text, options))

    step = _configure(services, principal, lambda _secret: options)
    return _change_or_create(services, entry, principal, ref, step, create)


def patch_options(
    services: SecretServices,
    entry: Entry,
    principal: Principal,
    ref: SecretRef,
    options: Callable[[Secret], SecretOptions],
) -> Secret:
    """Set the options that ``options`` makes of the present ones.

    Raises:
        SecretNotFound: there is no such secret, or the caller may not update it.
        Forbidden, InvalidFields, KeyRingMismatch, Tampered, UnknownKey, StoreUnavailable: as ``put_options``.
    """
    return change_secret(
        services, entry, principal, Action.UPDATE, ref, _configure(services, principal, options)
    )


def _configure(
    services: SecretServices, principal: Principal, options: Callable[[Secret], SecretOptions]
) -> Change:
    def step(secret: Secret, at: datetime) -> Secret:
        state.require(secret, at, State.LIVE, State.DELETED)
        wanted = resolve(options(secret), at)
        if lifecycle.configure(secret, wanted) == secret:
            return secret
        changed = lifecycle.configure(lifecycle.delete_each_version(secret, at), wanted)
        for action in sorted(rights.needed(secret, changed, services.defaults_of)):
            policy.require_on(principal, action, secret.path, secret.owner)
        return changed

    return step


def _change_or_create(
    services: SecretServices,
    entry: Entry,
    principal: Principal,
    ref: SecretRef,
    step: Change,
    create: Callable[[], Secret],
) -> Secret:
    may_update = policy.has_scope(principal, Action.UPDATE, ref.text)
    if may_update:
        try:
            return change_secret(services, entry, principal, Action.UPDATE, ref, step, explain=False)
        except SecretNotFound:
            # There is none, or it has ended and its path is free.
            pass
    policy.require_path(principal, Action.CREATE, ref.text)
    entry.operation = "create"
    try:
        return create()
    except PathTaken:
        policy.require_path(principal, Action.UPDATE, ref.text)
    # A concurrent call has created it.
    entry.operation = "update"
    return change_secret(services, entry, principal, Action.UPDATE, ref, step)


def _expect(services: SecretServices, secret: Secret, expected_version: int | None) -> None:
    if expected_version is None and applied(secret, services.defaults_of(secret.path)).cas_required:
        raise ExpectedVersionRequired
    lifecycle.expect(secret, expected_version)


def _add(
    services: SecretServices, principal: Principal, secret: Secret, value: bytes, at: datetime
) -> Secret:
    sealed = secret_values.seal(secret, value, services.ring)
    return lifecycle.add(secret, sealed, {}, at, principal.actor, services.defaults_of(secret.path))
