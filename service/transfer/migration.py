"""Moves secrets here from a mount of a running Vault or OpenBao, each with its versions.

Unlike a file, a mount is neither held in memory nor checked as a whole: one secret after the other is read,
planned and written, and one that cannot be imported does not stop the rest.  An existing secret is found
before anything of it is read, so an interrupted import is soon where it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..access import paths
from ..api.secrets.requests import create_request
from ..audit.recorder import Entry
from ..errors import InvalidFields, VaultError
from ..models import Principal
from ..records import MAX_VERSIONS
from ..secrets import history
from ..secrets.create import CreateSecret
from ..secrets.generate import value_of
from ..secrets.history import PastVersion, SecretHistory
from ..secrets.options import SecretOptions
from ..secrets.services import SecretServices
from . import importing
from .formats import fields
from .formats.line import unfit_name
from .importing import Existing, ImportOutcome, ImportStep
from .kv_source import secrets
from .kv_source.errors import NotReadable
from .kv_source.mount import KvVersion, Mount, Settings, Unlisted
from .kv_source.secrets import KvSecret
from .plan import describe_error

# The most that a secret can have here (docs/reference/api.md).
_MAX_VERSIONS = 100


@dataclass(frozen=True, slots=True)
class MigrationStep:
    """The plan for one secret; ``step`` is None if nothing of it can be written.

    ``name`` is the path here, or a quoted name that cannot be one.  ``history`` is what a new secret gets,
    None if it gets no value; ``left_out`` counts older versions that are more than are kept.
    """

    name: str
    outcome: ImportOutcome
    reason: str = ""
    step: ImportStep | None = None
    history: SecretHistory | None = field(default=None, repr=False)
    left_out: int = 0

    @property
    def versions(self) -> int:
        """How many versions are created with the secret."""
        return len(self.history.versions) if self.history and self.outcome is ImportOutcome.CREATE else 0

    @property
    def without_value(self) -> int:
        """How many of these have no value."""
        if not (self.history and self.versions):
            return 0
        return sum(past.content is None for past in self.history.versions)

    def __str__(self) -> str:
        """Return the plan as it is shown to the operator; it never contains a value."""
        details = []
        if self.versions:
            details.append(f"{self.versions} version{'s' if self.versions > 1 else ''}")
        if self.without_value:
            details.append(f"{self.without_value} deleted or destroyed there, so without a value")
        if self.outcome is ImportOutcome.CREATE and self.history is None:
            details.append("without a value")
        if self.left_out and self.versions:
            details.append(f"{self.left_out} older left out")
        detail = f" ({', '.join(details)})" if details else ""
        return f"{self.name}: {self.outcome}{detail}{f': {self.reason}' if self.reason else ''}"


@dataclass(frozen=True, slots=True)
class Migration:
    """What to import, and how: from a mount, which has these settings, into the folder ``prefix``.

    With ``split`` each field of a secret becomes a secret; ``existing`` and ``allow_empty`` are as for
    ``importing.plan``.
    """

    services: SecretServices
    principal: Principal
    mount: Mount
    settings: Settings
    prefix: str
    existing: Existing
    split: bool = False
    allow_empty: bool = False

    def steps(self, folder: str) -> Iterator[MigrationStep]:
        """Yield the plan for every secret below a folder of the mount, each when it has been read.

        Raises:
            SourceUnusable, SourceUnavailable: the rest cannot be read.
            KeyRingMismatch: the key ring does not fit the data.
            StoreUnavailable: the database did not answer.
        """
        for found in self.mount.walk(folder):
            if isinstance(found, Unlisted):
                yield MigrationStep(_shown(found.folder), ImportOutcome.REFUSE, found.why)
                continue
            try:
                yield from self._plan(found)
            except NotReadable as error:
                yield MigrationStep(self.prefix + found, ImportOutcome.REFUSE, str(error))

    def carry_out(self, entry: Entry, planned: MigrationStep) -> None:
        """Do what was planned, unless the secret has changed since.

        Raises:
            PathTaken, VersionConflict: the secret has changed.
            VaultError: any other error of ``create_with_history`` or ``update``.
        """
        if planned.outcome is ImportOutcome.CREATE and planned.history is not None:
            history.create_with_history(self.services, entry, self.principal, planned.history)
        elif planned.step is not None:
            importing.carry_out(self.services, entry, self.principal, planned.step)

    def _plan(self, path: str) -> Iterator[MigrationStep]:
        target = self.prefix + path
        if not paths.is_path(target):
            yield MigrationStep(_shown(path), ImportOutcome.REFUSE, unfit_name(0, target).text)
            return
        exists = False
        if not self.split:
            # Found by its path alone, so the value does not matter.
            update = self.existing is Existing.UPDATE
            step = self._import(CreateSecret(b"", target), Existing.SKIP if update else self.existing)
            exists = step.outcome is not ImportOutcome.CREATE
            if exists and not update:
                yield self._planned(step)
                return
        secret = secrets.read(
            self.mount,
            self.settings,
            path,
            self.services.clock(),
            max_versions=_MAX_VERSIONS,
            current_only=exists,
        )
        if not secret.versions and (exists or self.split):
            yield MigrationStep(target, ImportOutcome.NO_VALUE)
            return
        try:
            options = _options(secret)
            if not secret.versions:
                yield self._planned(self._import(CreateSecret(None, target, options), self.existing))
                return
            for found in (_split if self.split else _whole)(secret, target, options):
                yield self._plan_history(found, secret) if isinstance(found, SecretHistory) else found
        except InvalidFields as error:
            yield MigrationStep(target, ImportOutcome.REFUSE, describe_error(error))
        except (ValueError, RecursionError):
            yield MigrationStep(target, ImportOutcome.REFUSE, fields.NO_BYTES)

    def _plan_history(self, request: SecretHistory, secret: KvSecret) -> MigrationStep:
        try:
            for past in request.versions:
                value_of(past.content or b"", self.services.max_secret_bytes)
        except VaultError as error:
            return MigrationStep(request.path, ImportOutcome.REFUSE, describe_error(error))
        content = request.versions[-1].content
        # A version without a value can be created, but no existing secret can be compared with it.
        gone = content is None and self.existing is Existing.UPDATE
        step = self._import(
            CreateSecret(content or b"", request.path, request.options),
            Existing.SKIP if gone else self.existing,
        )
        if gone and step.outcome is ImportOutcome.SKIP:
            return MigrationStep(request.path, ImportOutcome.GONE)
        return self._planned(step, request, secret.left_out)

    def _import(self, request: CreateSecret, existing: Existing) -> ImportStep:
        (step,) = importing.plan(
            self.services, self.principal, [request], existing, allow_empty=self.allow_empty
        )
        return step

    def _planned(
        self, step: ImportStep, request: SecretHistory | None = None, left_out: int = 0
    ) -> MigrationStep:
        reason = "" if step.error is None else describe_error(step.error)
        return MigrationStep(step.request.path or "", step.outcome, reason, step, request, left_out)


def _whole(secret: KvSecret, target: str, options: SecretOptions) -> Iterator[SecretHistory]:
    """Yield one secret whose value is the JSON object of all fields.

    Raises:
        ValueError, RecursionError: as ``fields.of_all``.
    """
    values = {number: fields.of_all(found) for number, found in secret.values.items()}
    yield _history(secret, target, options, [_past(each, values) for each in secret.versions])


def _split(secret: KvSecret, target: str, options: SecretOptions) -> Iterator[SecretHistory | MigrationStep]:
    """Yield a secret for each field of the current version, with the versions that had this field.

    Whether a version without a value had it is not known; it counts as one that had.

    Raises:
        ValueError, RecursionError: as ``fields.of_one``.
    """
    current = secret.values.get(secret.versions[-1].number)
    if current is None:
        yield MigrationStep(target, ImportOutcome.GONE)
        return
    for name, value in current.items():
        path = f"{target}/{name}"
        if not paths.is_path(path):
            yield MigrationStep(f"{target}/{_shown(name)}", ImportOutcome.REFUSE, unfit_name(0, name).text)
        elif value is None:
            yield MigrationStep(path, ImportOutcome.NULL)
        else:
            having = {number: found for number, found in secret.values.items() if found.get(name) is not None}
            values = {number: fields.of_one(found[name]) for number, found in having.items()}
            versions = [
                _past(each, values)
                for each in secret.versions
                if each.number in having or each.number not in secret.values
            ]
            yield _history(secret, path, options, versions)


def _history(
    secret: KvSecret, path: str, options: SecretOptions, versions: list[PastVersion]
) -> SecretHistory:
    return SecretHistory(path, versions, secret.metadata.created_at, secret.metadata.updated_at, options)


def _past(version: KvVersion, values: Mapping[int, bytes]) -> PastVersion:
    return PastVersion(version.number, version.created_at, values.get(version.number), version.deleted_at)


def _options(secret: KvSecret) -> SecretOptions:
    """Return the options that differ from a new secret's, checked as those of a request are.

    Raises:
        InvalidFields: one of them is not what a secret can have.
    """
    settings = secret.settings
    options: dict[str, Any] = {}
    if secret.metadata.labels:
        options["labels"] = dict(secret.metadata.labels)
    if settings.max_versions != MAX_VERSIONS:
        options["max_versions"] = settings.max_versions
    if settings.cas_required:
        options["cas_required"] = True
    if settings.delete_version_after is not None:
        options["delete_version_after"] = settings.delete_version_after
    return create_request({"secret": "", **options}).options


def _shown(name: str) -> str:
    """Return a name of the source; one that cannot be a path is quoted, in ASCII."""
    return name if paths.is_path(name.rstrip("/")) else json.dumps(name)
