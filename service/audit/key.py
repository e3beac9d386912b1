"""The key that authenticates the audit log: random, created once, wrapped under the key ring.

It stays the same when the master key is rotated, so old chains and saved checkpoints can always be verified.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..crypto.canonical import encode
from ..crypto.context import Context
from ..crypto.keyring import KeyRing
from ..errors import StoreUnavailable, Tampered
from ..models import now
from ..store.audit import AuditStore
from ..store.audit_keys import AuditKeyStore, SealedAuditKey
from .chain import KEY_BYTES, AuditKeys

# No secret has such an id, so neither can be opened in place of the other.
_CONTEXT = Context("audit-key", version=1)
# During a rolling update, replicas of the previous version write records that are in no chain.
_UPDATE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class OpenedAuditKey:
    """The keys that authenticate the audit log, and the time until which records may be in no chain."""

    keys: AuditKeys
    unchained_until: datetime | None


class AuditKey:
    """Opens the audit key once per process; creates it if there is none."""

    def __init__(self, store: AuditKeyStore, log: AuditStore, ring: KeyRing) -> None:
        self._store = store
        self._log = log
        self._ring = ring
        self._opened: OpenedAuditKey | None = None

    def keys(self) -> AuditKeys:
        """Return the keys that authenticate records and checkpoints.

        Raises:
            StoreUnavailable: the database did not answer, or has records but not their key.
            CannotDecrypt: the key ring does not open the key.
        """
        return self.open().keys

    def open(self) -> OpenedAuditKey:
        """Return the key; the errors are those of ``keys``."""
        return self._opened or self.reopen()

    def reopen(self) -> OpenedAuditKey:
        """Read the key and the former ones again; the errors are those of ``keys``."""
        found = self._store.find() or self._create()
        former = [AuditKeys.of(unseal(key, self._ring)) for key in self._store.former()]
        keys = AuditKeys.of(unseal(found, self._ring), former)
        self._opened = OpenedAuditKey(keys, found.unchained_until)
        return self._opened

    def rewrap(self) -> bool:
        """Rewrap the key and the former ones under the primary master key; return whether any needed it.

        Raises:
            StoreUnavailable: some may have been rewrapped.
            CannotDecrypt: the key ring does not open one; it stays as it is.
        """
        found = self._store.find()
        rewrapped = [self._rewrap(key) for key in (*self._store.former(), *([found] if found else []))]
        return any(rewrapped)

    def _rewrap(self, found: SealedAuditKey) -> bool:
        data_key = self._ring.rewrap(found.data_key, _CONTEXT)
        return data_key != found.data_key and self._store.rewrap(found, data_key)

    def _create(self) -> SealedAuditKey:
        chained = self._log.any_chained()
        # Checked again: another process may have created the key since, and written records with it.
        found = self._store.find()
        if found is not None:
            return found
        if chained:
            raise StoreUnavailable(
                "the key of the audit log is gone: restore the document audit_key in the collection meta"
                " from a backup"
            )
        key = secrets.token_bytes(KEY_BYTES)
        until = now() + _UPDATE if self._log.any_unchained() else None
        created = SealedAuditKey(self._ring.wrap(key, _CONTEXT), until, _mac(key, until))
        if self._store.insert(created):
            return created
        stored = self._store.find()
        if stored is None:
            raise StoreUnavailable("the key of the audit log is gone: somebody has just removed it")
        return stored


def unseal(sealed: SealedAuditKey, ring: KeyRing) -> bytes:
    """Return the audit key.

    Raises:
        CannotDecrypt: the key ring does not open it.
    """
    key = ring.unwrap(sealed.data_key, _CONTEXT)
    if not hmac.compare_digest(sealed.mac, _mac(key, sealed.unchained_until)):
        raise Tampered("the document of the audit key was altered")
    return key


def _mac(key: bytes, until: datetime | None) -> bytes:
    fields = {"purpose": "audit key", "unchained_until": "" if until is None else until.isoformat()}
    return hmac.digest(key, encode(fields), "sha256")
