"""Tests a backup: restores it into staging collections and opens every record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, ParamSpec, TypeVar

from ..audit import checkpoints, key
from ..crypto import secret_values, tags
from ..crypto.keyring import KeyRing
from ..crypto.tags import AcceptsEarlier
from ..errors import CannotDecrypt, StoreUnavailable, Tampered, VaultError
from ..keys import canary
from ..models import (
    DrillResult,
    Envelope,
    StoredAppRole,
    StoredGrant,
    StoredSecretId,
    StoredShare,
    StoredToken,
    now,
)
from ..records import Secret
from ..store.audit_keys import SealedAuditKey
from ..store.drills import DrillStore
from ..store.staging import Staging
from .archive import Archive, Watcher
from .manifest import Manifest
from .restore import holds_earlier, stage

Failure = tuple[str, CannotDecrypt]
Record = TypeVar("Record")
P = ParamSpec("P")


@dataclass(slots=True)
class Drill:
    """One drill; ``failed`` gets a line for each record that does not open: what, its id, and why."""

    drills: DrillStore
    staging: Staging
    ring: KeyRing
    watcher: Watcher
    failed: Callable[[str], None]
    clock: Callable[[], datetime] = now
    _accepts_earlier: bool = field(default=False, init=False)
    _records: int = field(default=0, init=False)
    _failures: int = field(default=0, init=False)

    def run(self, source: BinaryIO) -> tuple[Manifest, DrillResult]:
        """Run the drill and store its result, even if the backup cannot be used at all.

        Raises:
            Tampered, UnknownKey: the backup cannot be used; the message says why.
            StoreUnavailable: the database did not answer.
            ConfigurationError: another drill is running.
        """
        try:
            manifest = self._attempt(source)
        except VaultError:
            with suppress(StoreUnavailable):
                self._store_result(None)
            raise
        return manifest, self._store_result(manifest)

    def _attempt(self, source: BinaryIO) -> Manifest:
        archive = Archive(source, self.ring)
        try:
            manifest = stage(archive, self.staging, self.ring, self.watcher)
            self._accepts_earlier = holds_earlier(self.staging, self.ring)
            self._open(self._secrets())
            self._open(self._tokens())
            self._open(self._shares())
            self._open(self._grants())
            self._open(self._roles())
            self._open(self._secret_ids())
            self._open(self._log())
            self._open(self._checkpoints())
            self._open(self._meta())
        finally:
            self.staging.clear()
        if self._records != (expected := sum(part.documents for part in manifest.parts.values())):
            raise Tampered(f"only {self._records} of {expected} records are in the database")
        return manifest

    def _store_result(self, manifest: Manifest | None) -> DrillResult:
        result = DrillResult(
            finished_at=self.clock(),
            success=manifest is not None and not self._failures,
            records=self._records,
            failed=self._failures,
            made_at=None if manifest is None else datetime.fromisoformat(manifest.made_at),
        )
        self.drills.write(result)
        return result

    def _open(self, found: Iterator[tuple[str, list[Failure]]]) -> None:
        for name, problems in found:
            self._records += 1
            self._failures += bool(problems)
            for what, error in problems:
                self.failed(f"{name}: {what}: {error.reason}: {error}")
            self.watcher.add("opening", 1)

    def _secrets(self) -> Iterator[tuple[str, list[Failure]]]:
        for secret_id, found in self.staging.secrets():
            yield f"secret {secret_id}", _open_secret(found, self.ring, lambda: self._accepts_earlier)

    def _tokens(self) -> Iterator[tuple[str, list[Failure]]]:
        for token_id, found in self.staging.tokens():
            yield (
                f"token {token_id}",
                _try("tag", _verify_token, found, self.ring, lambda: self._accepts_earlier),
            )

    def _shares(self) -> Iterator[tuple[str, list[Failure]]]:
        for share_id, found in self.staging.shares():
            yield f"share {share_id}", _try("tag", _verify_share, found, self.ring)

    def _grants(self) -> Iterator[tuple[str, list[Failure]]]:
        for grant_id, found in self.staging.grants():
            yield f"grant {grant_id}", _try("tag", _verify_grant, found, self.ring)

    def _roles(self) -> Iterator[tuple[str, list[Failure]]]:
        for role_id, found in self.staging.roles():
            yield f"approle {role_id}", _try("tag", _verify_role, found, self.ring)

    def _secret_ids(self) -> Iterator[tuple[str, list[Failure]]]:
        for accessor, found in self.staging.secret_ids():
            yield f"secret id {accessor}", _try("tag", _verify_secret_id, found, self.ring)

    def _log(self) -> Iterator[tuple[str, list[Failure]]]:
        for record_id, found in self.staging.records():
            yield f"audit record {record_id}", _try("document", _require_valid, found, self.ring)

    def _checkpoints(self) -> Iterator[tuple[str, list[Failure]]]:
        for number, found in self.staging.checkpoints():
            yield f"checkpoint {number}", _try("document", _read_checkpoint, found, self.ring)

    def _meta(self) -> Iterator[tuple[str, list[Failure]]]:
        for name, found in self.staging.meta():
            yield f"meta {name}", _try("value", _open_sealed, found, self.ring)


def _open_secret(secret: Secret | Tampered, ring: KeyRing, accepts_earlier: AcceptsEarlier) -> list[Failure]:
    if isinstance(secret, Tampered):
        return [("document", secret)]
    problems = _try("tag", tags.verify_secret, secret, ring, accepts_earlier)
    for version in secret.versions:
        if version.sealed is not None or version.destroyed_at is None:
            problems += _try(f"version {version.version}", secret_values.open_, secret, version, ring)
    return problems


def _verify_token(found: StoredToken | Tampered, ring: KeyRing, accepts_earlier: AcceptsEarlier) -> None:
    tags.verify_token(_require_valid(found, ring), ring, accepts_earlier)


def _verify_share(found: StoredShare | Tampered, ring: KeyRing) -> None:
    tags.verify_share(_require_valid(found, ring), ring)


def _verify_grant(found: StoredGrant | Tampered, ring: KeyRing) -> None:
    tags.verify_grant(_require_valid(found, ring), ring)


def _verify_role(found: StoredAppRole | Tampered, ring: KeyRing) -> None:
    tags.verify_role(_require_valid(found, ring), ring)


def _verify_secret_id(found: StoredSecretId | Tampered, ring: KeyRing) -> None:
    tags.verify_secret_id(_require_valid(found, ring), ring)


def _read_checkpoint(found: Mapping[str, Any] | Tampered, ring: KeyRing) -> None:
    checkpoints.from_json(_require_valid(found, ring))


def _open_sealed(found: Envelope | SealedAuditKey | Tampered | None, ring: KeyRing) -> None:
    match _require_valid(found, ring):
        case Envelope() as sealed:
            canary.open_(sealed, ring)
        case SealedAuditKey() as sealed:
            key.unseal(sealed, ring)


def _require_valid(found: Record | Tampered, _ring: KeyRing) -> Record:
    if isinstance(found, Tampered):
        raise found
    return found


def _try(what: str, attempt: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> list[Failure]:
    try:
        attempt(*args, **kwargs)
    except CannotDecrypt as error:
        return [(what, error)]
    return []
