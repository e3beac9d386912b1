"""Brings everything that is under another master key of the ring under the primary one.

Nothing is remembered of how far it got: what is to do is what the database finds under another key.  So it
goes on after a kill by being run again, and beside other runs and all traffic: every change is put in the
place of what was read, and who was second finds what is there now when the batch is read again.
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
from ..errors import CannotDecrypt, ConfigurationError, Tampered
from ..models import Action, Principal, StoredToken
from ..records import Secret, Wrapped, ends_at
from ..store.rewrap import ReadItems, Slice
from ..store.secrets import SecretStore
from .canary import KeyRingCheck
from .status import KeyServices

Record = TypeVar("Record")
# What of a record does not open, and why.
Problems = list[tuple[str, CannotDecrypt]]

_BATCH = 200
# Those are read with their values.
_LEGACY_BATCH = 10


@dataclass(frozen=True, slots=True)
class RewrapResult:
    """What a run has done, in documents (secrets and tokens).

    ``failed`` do not open; ``left`` are not, or not wholly, under the primary key, the failed ones included.
    """

    done: int
    failed: int
    left: int


class Watcher(Protocol):
    """Whom a run tells how it goes."""

    def begin(self, total: int) -> None:
        """Take note of how many documents are to do."""

    def progress(self, done: int) -> None:
        """Take note of how many were done so far; called after each batch."""

    def failed(self, what: str) -> None:
        """Take note of something that does not open and stays as it is: what, its id, and why."""


class Rewrap:
    """One run."""

    def __init__(
        self, keys: KeyServices, secrets: SecretStore, key_check: KeyRingCheck, watcher: Watcher
    ) -> None:
        self._keys = keys
        self._secrets = secrets
        self._key_check = key_check
        self._watcher = watcher
        self._primary = keys.ring.key_ids[0]
        self._done = 0
        self._failed = 0

    def run(self, principal: Principal) -> RewrapResult:
        """Do it; where nothing is ``left``, nothing needs any other key.

        Raises:
            Forbidden: the caller is no administrator.
            ConfigurationError: no process of the service has held the primary key yet.
            KeyRingMismatch: the key ring does not fit the data.
            StoreUnavailable: the database did not answer; what was done stays done.
        """
        policy.require(principal, Action.ADMIN)
        if self._primary not in self._keys.store.registered():
            raise ConfigurationError(
                f"no replica has held master key {self._primary} yet, so none could open what would be"
                " under it: give the key to all of them first"
            )
        self._key_check.open_canary()
        sealed, key = self._keys.sealed, key_ranges.for_key(self._primary)
        self._watcher.begin(sealed.count_not_under(key))
        self._sweep("secret", sealed.legacy, _rewrap_legacy, self._swap, _LEGACY_BATCH)
        self._sweep("secret", partial(sealed.secrets_not_under, key), _rewrap_secret, sealed.rewrap, _BATCH)
        self._sweep("token", partial(sealed.tokens_not_under, key), _rewrap_token, sealed.retag, _BATCH)
        left = sealed.count_not_under(key) + self._move_audit_key()
        if not left:
            # Last: as long as it is under another key, no process without that one serves anything.
            self._key_check.rewrap_canary()
        return RewrapResult(self._done, self._failed, left)

    def _move_audit_key(self) -> int:
        """Return 1 where it does not open; what is under it stays as it is."""
        try:
            self._keys.audit_key.rewrap()
        except CannotDecrypt as error:
            self._tell("audit key", [("document", error)])
            return 1
        return 0

    def _sweep(
        self,
        kind: str,
        read: Callable[[Slice], ReadItems[Record]],
        move: Callable[[Record, KeyRing], tuple[Record, Problems]],
        write: Callable[[Sequence[tuple[Record, Record]]], int],
        count: int,
    ) -> None:
        """Move all records of a kind, in batches of ``count`` in the order of their ids."""
        page_slice = Slice(after="", count=count)
        while found := read(page_slice):
            last = found[-1][0]
            stuck: set[str] = set()
            while todo := [one for one in found if one[0] not in stuck]:
                changes = []
                for record_id, before in todo:
                    problems: Problems
                    if isinstance(before, Tampered):
                        problems = [("document", before)]
                    else:
                        after, problems = move(before, self._keys.ring)
                        if after != before:
                            changes.append((before, after))
                            continue
                    stuck.add(record_id)
                    self._tell(f"{kind} {record_id}", problems)
                self._done += write(changes) if changes else 0
                self._watcher.progress(self._done)
                # What was written is not there any more; what others changed meanwhile is, as it is now.
                found = read(replace(page_slice, last=last))
            page_slice = Slice(after=last, count=count)

    def _swap(self, changes: Sequence[tuple[Secret, Secret]]) -> int:
        return sum(self._secrets.swap(before, after, ends_at(after)) for before, after in changes)

    def _tell(self, which: str, problems: Problems) -> None:
        self._failed += 1
        for what, error in problems:
            self._watcher.failed(f"{which}: {what}: {error.reason}: {error}")


# Each of the following returns the record as it is to be, and what of it does not open: nothing is wrapped
# or tagged that was not shown to be right before.
def _rewrap_legacy(secret: Secret, ring: KeyRing) -> tuple[Secret, Problems]:
    """Seal the value of a record of an earlier implementation as this one does."""
    try:
        return secret_values.reseal_legacy(secret, ring), []
    except CannotDecrypt as error:
        return secret, [("value", error)]


def _rewrap_secret(found: Wrapped, ring: KeyRing) -> tuple[Wrapped, Problems]:
    """Wrap each data key and make the path's tag again; no value is opened."""
    problems: Problems = []
    secret = found.secret
    try:
        secret = tags.retag_path(secret, ring)
    except CannotDecrypt as error:
        problems.append(("path or owner", error))
    data_keys = []
    for version, data_key in zip(secret.versions, found.data_keys, strict=True):
        if data_key is not None:
            try:
                data_key = ring.rewrap(data_key, Context(secret.secret_id, version.version))
            except CannotDecrypt as error:
                problems.append((f"version {version.version}", error))
        data_keys.append(data_key)
    return Wrapped(secret, tuple(data_keys)), problems


def _rewrap_token(stored: StoredToken, ring: KeyRing) -> tuple[StoredToken, Problems]:
    """Make a token's tag again."""
    try:
        return tags.retag_token(stored, ring), []
    except CannotDecrypt as error:
        return stored, [("tag", error)]
