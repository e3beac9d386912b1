"""Rewraps everything that is under another master key of the ring under the primary one.

It also gives every record of an earlier version a tag over all of it.  Once no other record is left, the
database is marked: from then on the service refuses such records.

No progress is stored: the work left is what the database finds under other keys.  So an interrupted run is
continued by running it again.  Runs may overlap with each other and with all traffic: every write is a
compare-and-swap, and a record that changed in between is read and rewrapped again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

from ..access import policy
from ..crypto import key_ranges, secret_values, tags
from ..crypto.context import Context
from ..crypto.keyring import KeyRing
from ..crypto.tags import AcceptsEarlier
from ..errors import CannotDecrypt, ConfigurationError, Tampered
from ..models import (
    Action,
    Envelope,
    Principal,
    StoredAppRole,
    StoredGrant,
    StoredSecretId,
    StoredSession,
    StoredShare,
    StoredToken,
)
from ..records import Secret, Version, ends_at
from ..store.approles import AppRoleStore
from ..store.grants import GrantStore
from ..store.rewrap import ReadItems, Slice
from ..store.secret_ids import SecretIdStore
from ..store.secrets import SecretStore
from ..store.sessions import SessionStore
from ..store.shares import ShareStore
from ..store.tokens import TokenStore
from .canary import KeyRingCheck
from .status import KeyServices

Record = TypeVar("Record")
# The parts of a record that cannot be decrypted or verified, each with the error.
Problems = list[tuple[str, CannotDecrypt]]

_BATCH = 200
# Smaller, because these records are read with their values.
_LEGACY_BATCH = 10


@dataclass(frozen=True, slots=True)
class RewrapResult:
    """The result of a run, in documents (secrets, and all others that have a tag).

    ``failed`` could not be decrypted or verified; ``left`` are not entirely under the primary key, failed
    ones included.
    """

    done: int
    failed: int
    left: int


class Watcher(Protocol):
    """Receives the progress of a run."""

    def begin(self, total: int) -> None:
        """Report the number of documents to rewrap."""

    def progress(self, done: int) -> None:
        """Report the number of documents rewrapped so far; called after each batch."""

    def failed(self, what: str) -> None:
        """Report something that cannot be decrypted and is left unchanged: its kind, its id, and why."""


class Rewrap:
    """One run."""

    def __init__(
        self,
        keys: KeyServices,
        secrets: SecretStore,
        tokens: TokenStore,
        sessions: SessionStore,
        shares: ShareStore,
        grants: GrantStore,
        roles: AppRoleStore,
        secret_ids: SecretIdStore,
        key_check: KeyRingCheck,
        watcher: Watcher,
    ) -> None:
        self._keys = keys
        self._secrets = secrets
        self._tokens = tokens
        self._sessions = sessions
        self._shares = shares
        self._grants = grants
        self._roles = roles
        self._secret_ids = secret_ids
        self._key_check = key_check
        self._watcher = watcher
        self._primary = keys.ring.key_ids[0]
        self._done = 0
        self._failed = 0

    def run(self, principal: Principal) -> RewrapResult:
        """Rewrap everything; if nothing is ``left``, only the primary key is needed from now on.

        Raises:
            Forbidden: the caller is not an administrator.
            ConfigurationError: no process of the service has loaded the primary key yet.
            KeyRingMismatch: the key ring does not fit the data.
            StoreUnavailable: the database did not answer in time; what was rewrapped stays so.
        """
        policy.require(principal, Action.ADMIN)
        if self._primary not in self._keys.store.registered():
            raise ConfigurationError(
                f"no replica has loaded master key {self._primary} yet, so none could decrypt what would be"
                " rewrapped under it: give the key to all replicas first"
            )
        self._key_check.open_canary()
        store, key = self._keys.rewrap_store, key_ranges.for_key(self._primary)
        self._watcher.begin(store.count_not_under(key))
        self._rewrap_all("secret", store.legacy, _rewrap_legacy, self._swap, _LEGACY_BATCH)
        self._rewrap_all(
            "secret", partial(store.secrets_not_under, key), _rewrap_secret, store.rewrap, _BATCH
        )
        self._rewrap_all(
            "token", partial(store.tokens_not_under, key), _rewrap_token, self._tokens.retag, _BATCH
        )
        self._rewrap_all(
            "session", partial(store.sessions_not_under, key), _rewrap_session, self._sessions.retag, _BATCH
        )
        self._rewrap_all(
            "share", partial(store.shares_not_under, key), _rewrap_share, self._shares.retag, _BATCH
        )
        self._rewrap_all(
            "grant", partial(store.grants_not_under, key), _rewrap_grant, self._swap_grants, _BATCH
        )
        self._rewrap_all(
            "approle", partial(store.roles_not_under, key), _rewrap_role, self._swap_roles, _BATCH
        )
        self._rewrap_all(
            "secret id",
            partial(store.secret_ids_not_under, key),
            _rewrap_secret_id,
            self._secret_ids.retag,
            _BATCH,
        )
        left = store.count_not_under(key) + self._rewrap_audit_key()
        if not left:
            # Last: while the canary is under another key, no process without that key serves callers.
            self._key_check.renew_canary()
        return RewrapResult(self._done, self._failed, left)

    def _rewrap_audit_key(self) -> int:
        """Rewrap the audit key; return 1 if it cannot be decrypted, else 0."""
        try:
            self._keys.audit_key.rewrap()
        except CannotDecrypt as error:
            self._report("audit key", [("document", error)])
            return 1
        return 0

    def _rewrap_all(
        self,
        kind: str,
        read: Callable[[Slice], ReadItems[Record]],
        rewrap: Callable[[Record, KeyRing, AcceptsEarlier], tuple[Record, Problems]],
        write: Callable[[Sequence[tuple[Record, Record]]], int],
        count: int,
    ) -> None:
        """Rewrap all records of a kind, in batches of ``count``, ordered by id."""
        page_slice = Slice(after="", count=count)
        while found := read(page_slice):
            last = found[-1][0]
            finished: set[str] = set()
            while todo := [item for item in found if item[0] not in finished]:
                changes = []
                for record_id, before in todo:
                    problems: Problems
                    if isinstance(before, Tampered):
                        problems = [("document", before)]
                    else:
                        after, problems = rewrap(before, self._keys.ring, self._key_check.accepts_earlier)
                        if after != before:
                            changes.append((before, after))
                            continue
                    finished.add(record_id)
                    self._report(f"{kind} {record_id}", problems)
                self._done += write(changes) if changes else 0
                self._watcher.progress(self._done)
                # The query no longer returns rewrapped records, but does return those whose write lost
                # against a concurrent change, in their new state.
                found = read(replace(page_slice, last=last))
            page_slice = Slice(after=last, count=count)

    def _swap(self, changes: Sequence[tuple[Secret, Secret]]) -> int:
        return sum(self._secrets.swap(before, after, ends_at(after)) for before, after in changes)

    def _swap_grants(self, changes: Sequence[tuple[StoredGrant, StoredGrant]]) -> int:
        return sum(self._grants.swap(before, after) for before, after in changes)

    def _swap_roles(self, changes: Sequence[tuple[StoredAppRole, StoredAppRole]]) -> int:
        return sum(self._roles.swap(before, after) for before, after in changes)

    def _report(self, which: str, problems: Problems) -> None:
        self._failed += 1
        for what, error in problems:
            self._watcher.failed(f"{which}: {what}: {error.reason}: {error}")


# Each of the following returns the new record and what could not be decrypted: only what authenticates is
# wrapped or tagged again.
def _rewrap_legacy(secret: Secret, ring: KeyRing, accepts_earlier: AcceptsEarlier) -> tuple[Secret, Problems]:
    """Encrypt the value of a record of an earlier implementation in the current format."""
    try:
        tags.verify_secret(secret, ring, accepts_earlier)
        return tags.sign_change(secret, secret_values.reseal_legacy(secret, ring), ring), []
    except CannotDecrypt as error:
        return secret, [("value", error)]


def _rewrap_secret(secret: Secret, ring: KeyRing, accepts_earlier: AcceptsEarlier) -> tuple[Secret, Problems]:
    """Rewrap each data key and renew the tag; no value is decrypted."""
    try:
        tags.verify_secret(secret, ring, accepts_earlier)
    except CannotDecrypt as error:
        return secret, [("tag", error)]
    problems: Problems = []
    versions = tuple(
        _rewrap_version(secret.secret_id, version, ring, problems) for version in secret.versions
    )
    rewrapped = replace(secret, versions=versions)
    if rewrapped == secret and tags.is_current(secret.tag, ring):
        return secret, problems
    return tags.sign_change(secret, rewrapped, ring), problems


def _rewrap_version(secret_id: str, version: Version, ring: KeyRing, problems: Problems) -> Version:
    if not isinstance(version.sealed, Envelope):
        return version
    try:
        data_key = ring.rewrap(version.sealed.data_key, Context(secret_id, version.version))
    except CannotDecrypt as error:
        problems.append((f"version {version.version}", error))
        return version
    return replace(version, sealed=replace(version.sealed, data_key=data_key))


def _rewrap_token(
    stored: StoredToken, ring: KeyRing, accepts_earlier: AcceptsEarlier
) -> tuple[StoredToken, Problems]:
    """Renew a token's tag."""
    try:
        tags.verify_token(stored, ring, accepts_earlier)
        return tags.sign_token(stored.token, stored.digest, ring), []
    except CannotDecrypt as error:
        return stored, [("tag", error)]


def _rewrap_session(
    stored: StoredSession, ring: KeyRing, _accepts_earlier: AcceptsEarlier
) -> tuple[StoredSession, Problems]:
    """Renew a session's tag."""
    try:
        tags.verify_session(stored, ring)
        return tags.sign_session(stored.session, stored.digest, ring), []
    except CannotDecrypt as error:
        return stored, [("tag", error)]


def _rewrap_share(
    stored: StoredShare, ring: KeyRing, _accepts_earlier: AcceptsEarlier
) -> tuple[StoredShare, Problems]:
    """Renew a share's tag."""
    try:
        tags.verify_share(stored, ring)
        return tags.sign_share(stored.share, stored.digest, ring), []
    except CannotDecrypt as error:
        return stored, [("tag", error)]


def _rewrap_grant(
    stored: StoredGrant, ring: KeyRing, _accepts_earlier: AcceptsEarlier
) -> tuple[StoredGrant, Problems]:
    """Renew a grant's tag."""
    try:
        tags.verify_grant(stored, ring)
        return tags.sign_grant(stored.grant, ring), []
    except CannotDecrypt as error:
        return stored, [("tag", error)]


def _rewrap_role(
    stored: StoredAppRole, ring: KeyRing, _accepts_earlier: AcceptsEarlier
) -> tuple[StoredAppRole, Problems]:
    """Renew the tag of an AppRole."""
    try:
        tags.verify_role(stored, ring)
        return tags.sign_role(stored.role, ring), []
    except CannotDecrypt as error:
        return stored, [("tag", error)]


def _rewrap_secret_id(
    stored: StoredSecretId, ring: KeyRing, _accepts_earlier: AcceptsEarlier
) -> tuple[StoredSecretId, Problems]:
    """Renew the tag of a secret id."""
    try:
        tags.verify_secret_id(stored, ring)
        return tags.sign_secret_id(stored.secret_id, stored.digest, ring), []
    except CannotDecrypt as error:
        return stored, [("tag", error)]
