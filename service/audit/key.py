"""The key that authenticates the audit log: random, made once, sealed under the key ring.

It stays when the master key is rotated, so that old chains and saved checkpoints can be verified for good.
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

# No secret's id looks like this, so neither opens in the other's place.
_CONTEXT = Context("audit-key", version=1)
# During a rolling update, replicas of before write records that are in no chain.
_UPDATE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class OpenedAuditKey:
    """What the audit log is authenticated with, and until when records may be in no chain."""

    keys: AuditKeys
    unchained_until: datetime | None


class AuditKey:
    """Opens the audit key once for the life of the process; makes it where there is none."""

    def __init__(self, store: AuditKeyStore, log: AuditStore, ring: KeyRing) -> None:
        self._store = store
        self._log = log
        self._ring = ring
        self._opened: OpenedAuditKey | None = None

    def keys(self) -> AuditKeys:
        """Return what records and checkpoints are authenticated with.

        Raises:
            StoreUnavailable: the database did not answer, or has records but no longer their key.
            CannotDecrypt: the key ring does not open it.
        """
        return self.open().keys

    def open(self) -> OpenedAuditKey:
        """Return the key; the errors are those of ``keys``."""
        return self._opened or self.reopen()

    def reopen(self) -> OpenedAuditKey:
        """Return the key, with the former ones that there are now; the errors are those of ``keys``."""
        found = self._store.find() or self._make()
        former = [AuditKeys.of(unsealed(one, self._ring)) for one in self._store.former()]
        keys = AuditKeys.of(unsealed(found, self._ring), former)
        self._opened = OpenedAuditKey(keys, found.unchained_until)
        return self._opened

    def rewrap(self) -> bool:
        """Bring the key and former ones under the primary master key; return whether one was under another.

        Raises:
            StoreUnavailable: it may or may not be there.
            CannotDecrypt: the key ring does not open it; it stays as it is.
        """
        found = self._store.find()
        moved = [self._move(one) for one in (*self._store.former(), *([found] if found else []))]
        return any(moved)

    def _move(self, found: SealedAuditKey) -> bool:
        data_key = self._ring.rewrap(found.data_key, _CONTEXT)
        return data_key != found.data_key and self._store.rewrap(found, data_key)

    def _make(self) -> SealedAuditKey:
        chained = self._log.any_chained()
        # Asked again: another process may have made the key meanwhile, and written records with it.
        found = self._store.find()
        if found is not None:
            return found
        if chained:
            raise StoreUnavailable(
                "the key of the audit log is gone: put the document audit_key back into the collection meta,"
                " from a backup"
            )
        key = secrets.token_bytes(KEY_BYTES)
        until = now() + _UPDATE if self._log.any_unchained() else None
        made = SealedAuditKey(self._ring.wrap(key, _CONTEXT), until, _mac(key, until))
        if self._store.insert(made):
            return made
        kept = self._store.find()
        if kept is None:
            raise StoreUnavailable("the key of the audit log is gone")
        return kept


def unsealed(found: SealedAuditKey, ring: KeyRing) -> bytes:
    """Return the key.

    Raises:
        CannotDecrypt: the key ring does not open it.
    """
    key = ring.unwrap(found.data_key, _CONTEXT)
    if not hmac.compare_digest(found.mac, _mac(key, found.unchained_until)):
        raise Tampered("the audit key's document was altered")
    return key


def _mac(key: bytes, until: datetime | None) -> bytes:
    fields = {"purpose": "audit key", "unchained_until": "" if until is None else until.isoformat()}
    return hmac.digest(key, encode(fields), "sha256")
