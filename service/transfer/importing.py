"""Brings secrets in from elsewhere: what would become of each is decided first, and only then is it done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial

from ..access import paths
from ..audit.recorder import Entry
from ..crypto import secret_values
from ..errors import PathTaken, SecretDeleted, SecretNotFound, Unopenable, VaultError
from ..models import Action, Principal
from ..records import Secret, State
from ..secrets import create, lifecycle, lookup, modify, state
from ..secrets import read as reading
from ..secrets.create import NewSecret
from ..secrets.modify import Update
from ..secrets.options import Content, Settings, moment
from ..secrets.vault import Vault
from ..store.secret_queries import Name


class Existing(StrEnum):
    """What to do where there is a secret at the path already."""

    REFUSE = "refuse"
    SKIP = "skip"
    UPDATE = "update"


class Outcome(StrEnum):
    """What becomes of a secret that is to be imported."""

    CREATE = "create"
    NEW_VERSION = "new version"
    NEW_SETTINGS = "new settings"
    SAME = "same as there is"
    SKIP = "skip, there is one"
    OVER = "leave out, its time is over"
    REFUSE = "refuse"


CHANGES = frozenset({Outcome.CREATE, Outcome.NEW_VERSION, Outcome.NEW_SETTINGS})


@dataclass(frozen=True, slots=True)
class Step:
    """What would become of one secret; ``error`` is why it is refused.

    ``version`` is the current one of the secret that is there.
    """

    wish: NewSecret = field(repr=False)
    outcome: Outcome
    error: VaultError | None = None
    version: int | None = None


def plan(vault: Vault, principal: Principal, wishes: Sequence[NewSecret], existing: Existing) -> list[Step]:
    """Return what would become of each secret, in their order; every one has a path, and no two the same.

    Values are compared here and go nowhere, so no read of a secret is used up, and nothing is recorded.

    Raises:
        KeyRingUnproven: the key ring does not fit the data.
        StoreUnavailable: the database did not answer.
    """
    vault.proof.require()
    at = vault.clock()
    steps = [_by_itself(vault, wish, at) for wish in wishes]
    numbers = [number for number, step in enumerate(steps) if step.outcome is Outcome.CREATE]
    # Values are needed, and room for them in memory, only where they are compared.
    compare = existing is Existing.UPDATE
    read = (
        partial(vault.secrets.find_with_value, number=None) if compare else vault.secrets.find_without_values
    )
    size = reading.most_at_once(vault)
    for start in range(0, len(numbers), size):
        some = numbers[start : start + size]
        names = [Name(steps[number].wish.path or "", is_path=True) for number in some]
        found = lookup.find(vault, principal, Action.UPDATE, names, read)
        for number, one in zip(some, found, strict=True):
            steps[number] = _beside(vault, steps[number].wish, one, existing, at)
    return steps


def carry_out(vault: Vault, entry: Entry, principal: Principal, step: Step) -> None:
    """Do what was planned, where nothing has changed since.

    Raises:
        PathTaken, VersionConflict: something has.
        VaultError: for any other reason that ``create`` and ``update`` have.
    """
    wish = step.wish
    if step.outcome is Outcome.CREATE:
        create.create(vault, entry, principal, wish)
        return
    content = wish.content if step.outcome is Outcome.NEW_VERSION else None
    update = Update(content, step.version, settings=wish.settings)
    modify.update(vault, entry, principal, Name(wish.path or "", is_path=True), update)


def _by_itself(vault: Vault, wish: NewSecret, at: datetime) -> Step:
    if _is_over(wish.settings, at):
        return Step(wish, Outcome.OVER)
    try:
        paths.require_path(wish.path or "")
        secret_values.content(wish.content, vault.max_secret_bytes)
        moment(wish.settings, "version_expires_at", at)
        lifecycle.configure(Secret("", 0, (), at), wish.settings, at)
    except VaultError as error:
        return Step(wish, Outcome.REFUSE, error)
    return Step(wish, Outcome.CREATE)


def _is_over(settings: Settings, at: datetime) -> bool:
    ends = (settings.get("expires_at"), settings.get("version_expires_at"))
    return any(isinstance(end, datetime) and end <= at for end in ends)


def _beside(
    vault: Vault,
    wish: NewSecret,
    found: Secret | SecretNotFound | Unopenable,
    existing: Existing,
    at: datetime,
) -> Step:
    """Return what would become of a secret, now that it is known what there is at its path."""
    if isinstance(found, SecretNotFound):
        return Step(wish, Outcome.CREATE)
    if isinstance(found, Secret) and state.of(found, at) in (State.EXPIRED, State.DESTROYED):
        return Step(wish, Outcome.CREATE)
    if existing is Existing.SKIP:
        return Step(wish, Outcome.SKIP)
    if existing is Existing.REFUSE:
        return Step(wish, Outcome.REFUSE, PathTaken())
    try:
        if not isinstance(found, Secret):
            raise found
        return Step(wish, _changed(vault, wish, found, at), version=found.current)
    except (SecretDeleted, Unopenable) as error:
        return Step(wish, Outcome.REFUSE, error)


def _changed(vault: Vault, wish: NewSecret, secret: Secret, at: datetime) -> Outcome:
    state.require(secret, at, State.LIVE)
    if not _has_value(vault, secret, wish.content, at):
        return Outcome.NEW_VERSION
    changed = lifecycle.configure(secret, wish.settings, at)
    if "version_expires_at" in wish.settings:
        changed = lifecycle.extend(changed, wish.settings, at)
    return Outcome.SAME if changed == secret else Outcome.NEW_SETTINGS


def _has_value(vault: Vault, secret: Secret, content: Content, at: datetime) -> bool:
    try:
        version = state.readable(secret, None, at)
    except SecretNotFound:
        return False
    return secret_values.open_(secret, version, vault.ring) == content
