"""Imports secrets: first plans what to do with each one, then does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import partial

from ..access import paths
from ..audit.recorder import Entry
from ..crypto import secret_values
from ..errors import CannotDecrypt, InvalidFields, PathTaken, SecretDeleted, SecretNotFound, VaultError
from ..models import Action, Principal
from ..records import Secret, State
from ..secrets import create, lifecycle, lookup, modify, state
from ..secrets.create import CreateSecret
from ..secrets.generate import value_of
from ..secrets.modify import UpdateSecret
from ..secrets.options import SecretOptions, resolve
from ..secrets.read import max_lookup_size
from ..secrets.services import SecretServices
from ..store.secret_queries import SecretRef


class Existing(StrEnum):
    """What to do if there is already a secret at the path."""

    REFUSE = "refuse"
    SKIP = "skip"
    UPDATE = "update"


class ImportOutcome(StrEnum):
    """What an import does with a secret; the values are shown to the operator."""

    CREATE = "create"
    NEW_VERSION = "new version"
    EMPTIED = "new version, empty in the place of a value"
    NEW_SETTINGS = "new settings"
    SAME = "unchanged"
    NULL = "skip, null"
    SKIP = "skip, already exists"
    OVER = "skip, expired"
    NO_VALUE = "skip, without a value"
    GONE = "skip, its current version is deleted or destroyed there"
    REFUSE = "refuse"


_NEW_VALUES = frozenset({ImportOutcome.NEW_VERSION, ImportOutcome.EMPTIED})
CHANGES = _NEW_VALUES | {ImportOutcome.CREATE, ImportOutcome.NEW_SETTINGS}


@dataclass(frozen=True, slots=True)
class ImportStep:
    """The plan for one secret; ``error`` is why it is refused.

    ``version`` is the current version of the existing secret.
    """

    request: CreateSecret = field(repr=False)
    outcome: ImportOutcome
    error: VaultError | None = None
    version: int | None = None


def plan(
    services: SecretServices,
    principal: Principal,
    requests: Sequence[CreateSecret],
    existing: Existing,
    *,
    allow_empty: bool = False,
) -> list[ImportStep]:
    """Return the plan for each secret, in order; each must have its own path.

    Without ``allow_empty``, an empty value in the place of one that is not is refused.

    Values are only compared and never returned, so this uses up no reads and records nothing.

    Raises:
        KeyRingMismatch: the key ring does not fit the data.
        StoreUnavailable: the database did not answer.
    """
    services.key_check.require()
    at = services.clock()
    steps = [_validate(services, request, at) for request in requests]
    indexes = [index for index, step in enumerate(steps) if step.outcome is ImportOutcome.CREATE]
    # Values, which need memory, are read only if they are compared.
    compare = existing is Existing.UPDATE
    read = (
        partial(services.secrets.find_with_value, number=None)
        if compare
        else services.secrets.find_without_values
    )
    size = max_lookup_size(services)
    for start in range(0, len(indexes), size):
        batch = indexes[start : start + size]
        refs = [SecretRef(steps[index].request.path or "", is_path=True) for index in batch]
        results = lookup.find(services, principal, Action.UPDATE, refs, read)
        for index, found in zip(batch, results, strict=True):
            steps[index] = _plan_with_existing(services, steps[index].request, found, existing, at)
    return steps if allow_empty else [_refuse_empty(step) for step in steps]


def carry_out(services: SecretServices, entry: Entry, principal: Principal, step: ImportStep) -> None:
    """Do what was planned, unless the secret has changed since.

    Raises:
        PathTaken, VersionConflict: the secret has changed.
        VaultError: any other error of ``create_secret`` or ``update``.
    """
    request = step.request
    if step.outcome is ImportOutcome.CREATE:
        create.create_secret(services, entry, principal, request)
        return
    content = request.content if step.outcome in _NEW_VALUES else None
    update = UpdateSecret(content, step.version, options=request.options)
    modify.update(services, entry, principal, SecretRef(request.path or "", is_path=True), update)


def _validate(services: SecretServices, request: CreateSecret, at: datetime) -> ImportStep:
    """Return the plan for a secret without regard to existing ones."""
    if _is_over(request.options, at):
        return ImportStep(request, ImportOutcome.OVER)
    try:
        paths.require_path(request.path or "")
        if request.content is not None:
            value_of(request.content, services.max_secret_bytes)
        resolve(request.options, at)
    except VaultError as error:
        return ImportStep(request, ImportOutcome.REFUSE, error)
    return ImportStep(request, ImportOutcome.CREATE)


def _refuse_empty(step: ImportStep) -> ImportStep:
    if step.outcome is not ImportOutcome.EMPTIED:
        return step
    error = InvalidFields(
        {"secret": ["empty, and the present value is not: say --allow-empty if that is meant"]}
    )
    return replace(step, outcome=ImportOutcome.REFUSE, error=error)


def _is_over(options: SecretOptions, at: datetime) -> bool:
    ends = (options.get("expires_at"), options.get("version_expires_at"))
    return any(isinstance(end, datetime) and end <= at for end in ends)


def _plan_with_existing(
    services: SecretServices,
    request: CreateSecret,
    found: Secret | SecretNotFound | CannotDecrypt,
    existing: Existing,
    at: datetime,
) -> ImportStep:
    """Return the plan for a secret, given what was found at its path."""
    if isinstance(found, SecretNotFound):
        return ImportStep(request, ImportOutcome.CREATE)
    if isinstance(found, Secret) and state.of(found, at) in (State.EXPIRED, State.DESTROYED):
        return ImportStep(request, ImportOutcome.CREATE)
    if existing is Existing.SKIP:
        return ImportStep(request, ImportOutcome.SKIP)
    if existing is Existing.REFUSE:
        return ImportStep(request, ImportOutcome.REFUSE, PathTaken())
    try:
        if not isinstance(found, Secret):
            raise found
        return ImportStep(request, _compare(services, request, found, at), version=found.current)
    except (SecretDeleted, CannotDecrypt) as error:
        return ImportStep(request, ImportOutcome.REFUSE, error)


def _compare(services: SecretServices, request: CreateSecret, secret: Secret, at: datetime) -> ImportOutcome:
    state.require(secret, at, State.LIVE)
    present = _value(services, secret, at)
    if present != request.content:
        return ImportOutcome.EMPTIED if present and request.content == b"" else ImportOutcome.NEW_VERSION
    options = resolve(request.options, at)
    changed = lifecycle.configure(secret, options)
    if "version_expires_at" in options:
        changed = lifecycle.extend(changed, options["version_expires_at"], at)
    return ImportOutcome.SAME if changed == secret else ImportOutcome.NEW_SETTINGS


def _value(services: SecretServices, secret: Secret, at: datetime) -> bytes | None:
    """Return the current value, or None if it cannot be read."""
    try:
        version = state.readable(secret, None, at)
    except SecretNotFound:
        return None
    return secret_values.open_(secret, version, services.ring)
