"""Creates secrets, one or several.

The audit entry that each function takes is opened, and written, by its caller.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..access import paths, policy
from ..audit.recorder import Entry
from ..crypto import secret_values, tags
from ..errors import PathTaken, VaultError
from ..models import Action, Principal
from ..records import INHERIT, Secret, ends_at
from ..store.secrets import SecretStore
from . import batch, lifecycle
from .generate import Content, value_of
from .options import SecretOptions, resolve
from .services import SecretServices


@dataclass(frozen=True, slots=True)
class CreateSecret:
    """A secret to create; without a path it belongs to ``owner``, or else to the token that creates it.

    Without content it has no value yet, only options.  ``secret_id`` is a UUID that
    nothing else can have; None is a random one.
    """

    content: Content | None = field(repr=False)
    path: str | None = None
    options: SecretOptions = field(default_factory=SecretOptions)
    owner: str | None = None
    secret_id: str | None = None


def create_secret(
    services: SecretServices, entry: Entry, principal: Principal, request: CreateSecret
) -> Secret:
    """Seal a value as version 1 of a new secret, if it has one, and store it.

    Raises:
        Forbidden: the caller may not create this secret.
        InvalidFields: the path is malformed, an expiry is not in the future, or a label contains a token.
        TooLarge: the value is longer than the limit.
        PathTaken: another secret has the path.
        KeyRingMismatch: the key ring does not fit the data.
        StoreUnavailable: the secret may or may not have been stored.
    """
    secret = make(services, entry, principal, request)
    insert(services, secret)
    return secret


def insert(services: SecretServices, secret: Secret) -> None:
    """Store a new secret that is signed.

    Raises:
        PathTaken: another secret has the path.
        StoreUnavailable: the secret may or may not have been stored.
    """
    try:
        _insert(services.secrets, secret)
    except PathTaken:
        # An expired secret frees its path, even if MongoDB's TTL monitor has not removed it yet.
        if not services.secrets.remove_ended([secret.path or ""], services.clock()):
            raise
        _insert(services.secrets, secret)


def create_each(
    services: SecretServices, entry: Entry, principal: Principal, requests: Sequence[CreateSecret]
) -> list[Secret | VaultError]:
    """Return, in the order of ``requests``, each new secret or the error that ``create_secret`` raised."""
    results: list[Secret | VaultError] = []
    for request in requests:
        item = entry.add_item()
        try:
            results.append(create_secret(services, item, principal, request))
        except VaultError as error:
            item.reason = error.reason
            results.append(error)
    return results


def create_all(
    services: SecretServices, entry: Entry, principal: Principal, requests: Sequence[CreateSecret]
) -> list[Secret]:
    """Create all of these secrets or none.

    Raises:
        BatchFailed: one cannot be created, for a reason listed at ``create_secret``.
        StoreUnavailable: either all of them or none have been stored.
    """
    items = [entry.add_item() for _ in requests]
    secrets = []
    for item, request in zip(items, requests, strict=True):
        with batch.all_or_nothing(items, item):
            secrets.append(make(services, item, principal, request))
    services.secrets.remove_ended([secret.path for secret in secrets if secret.path], services.clock())

    def insert_all(store: SecretStore) -> None:
        for item, secret in zip(items, secrets, strict=True):
            with batch.all_or_nothing(items, item):
                _insert(store, secret)

    services.secrets.in_transaction(insert_all)
    return secrets


def make(services: SecretServices, entry: Entry, principal: Principal, request: CreateSecret) -> Secret:
    """Return a new secret, sealed and signed, that is not stored yet.

    Raises:
        Forbidden, InvalidFields, TooLarge, KeyRingMismatch: as ``create_secret``.
    """
    if request.path is None:
        policy.require(principal, Action.CREATE)
    else:
        paths.require_path(request.path)
        entry.path = request.path
        policy.require_path(principal, Action.CREATE, request.path)
    value = None if request.content is None else value_of(request.content, services.max_secret_bytes)
    services.key_check.require()

    at = services.clock()
    empty = Secret(
        secret_id=request.secret_id or str(uuid.uuid4()),
        current=0,
        versions=(),
        created_at=at,
        created_by=principal.actor,
        path=request.path,
        owner=request.owner or (principal.actor if request.path is None and principal.token else None),
        max_versions=INHERIT,
    )
    entry.secret_id = empty.secret_id
    options = resolve(request.options, at)
    secret = lifecycle.configure(empty, options)
    if value is not None:
        sealed = secret_values.seal(secret, value, services.ring)
        defaults = services.defaults_of(secret.path)
        secret = lifecycle.add(secret, sealed, options, at, principal.actor, defaults)
    return tags.sign_secret(secret, services.ring)


def _insert(store: SecretStore, secret: Secret) -> None:
    store.insert(secret, ends_at(secret))
