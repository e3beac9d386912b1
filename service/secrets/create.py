"""Creates secrets, one or several.  Every use case is given the audit entry that its door has opened."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..access import paths, policy
from ..audit.recorder import Entry
from ..crypto import secret_values, tags
from ..errors import PathTaken, VaultError
from ..models import Action, Principal
from ..records import Secret
from ..store.secrets import SecretStore
from . import batch, lifecycle, state
from .options import Content, Settings
from .vault import Vault


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A secret as it is asked for; with no path it belongs to the token that makes it."""

    content: Content = field(repr=False)
    path: str | None = None
    settings: Settings = field(default_factory=Settings)


def create(vault: Vault, entry: Entry, principal: Principal, wish: NewSecret) -> Secret:
    """Seal a value as version 1 of a new secret and keep it.

    Raises:
        Forbidden: the caller may not create this.
        InvalidFields: the path is none, or an end is none to come.
        TooLarge: the value is longer than the limit.
        PathTaken: another secret has the path.
        KeyRingUnproven: the key ring does not fit the data.
        StoreUnavailable: the secret may or may not have been kept.
    """
    secret = _make(vault, entry, principal, wish)
    try:
        _insert(vault.secrets, secret)
    except PathTaken:
        # What is over leaves the path to others, whether MongoDB's TTL monitor came by or not.
        if not vault.secrets.remove_ended([wish.path or ""], vault.clock()):
            raise
        _insert(vault.secrets, secret)
    return secret


def create_several(
    vault: Vault, entry: Entry, principal: Principal, wishes: Sequence[NewSecret]
) -> list[Secret | VaultError]:
    """Return each new secret, or what ``create`` would raise for it, in their order."""
    done: list[Secret | VaultError] = []
    for wish in wishes:
        part = entry.part()
        try:
            done.append(create(vault, part, principal, wish))
        except VaultError as error:
            part.reason = error.reason
            done.append(error)
    return done


def create_all(vault: Vault, entry: Entry, principal: Principal, wishes: Sequence[NewSecret]) -> list[Secret]:
    """Create every one of these secrets or none.

    Raises:
        BatchFailed: one cannot be created, for one of the reasons that ``create`` has.
        StoreUnavailable: all or none of them may have been kept.
    """
    parts = [entry.part() for _ in wishes]
    secrets = []
    for part, wish in zip(parts, wishes, strict=True):
        with batch.part_of(parts, part):
            secrets.append(_make(vault, part, principal, wish))
    vault.secrets.remove_ended([secret.path for secret in secrets if secret.path], vault.clock())

    def insert(store: SecretStore) -> None:
        for part, secret in zip(parts, secrets, strict=True):
            with batch.part_of(parts, part):
                _insert(store, secret)

    vault.secrets.together(insert)
    return secrets


def _make(vault: Vault, entry: Entry, principal: Principal, wish: NewSecret) -> Secret:
    if wish.path is None:
        policy.require(principal, Action.CREATE)
    else:
        paths.require_path(wish.path)
        entry.path = wish.path
        policy.require_path(principal, Action.CREATE, wish.path)
    value = secret_values.content(wish.content, vault.max_secret_bytes)
    vault.proof.require()

    at = vault.clock()
    empty = Secret(
        secret_id=str(uuid.uuid4()),
        current=0,
        versions=(),
        created_at=at,
        created_by=principal.actor,
        path=wish.path,
        owner=principal.actor if wish.path is None and principal.token else None,
    )
    entry.secret_id = empty.secret_id
    settled = tags.tagged(lifecycle.configure(empty, wish.settings, at), vault.ring)
    sealed = secret_values.seal_next(settled, value, vault.ring)
    return lifecycle.add(settled, sealed, wish.settings, at, principal.actor)


def _insert(store: SecretStore, secret: Secret) -> None:
    store.insert(secret, state.ends_at(secret))
