"""audit.key: one key for all processes, whichever starts first."""

import pytest
from pymongo.database import Database

from service.audit.key import AuditKey
from service.audit.writer import ChainWriter
from service.crypto.keyring import KeyRing
from service.errors import StoreUnavailable
from service.models import AuditRecord, Status, now
from service.store.audit_keys import AuditKeyStore, SealedAuditKey
from service.store.store import Store


def write(store: Store, key: AuditKey) -> None:
    """Write a record as a process does."""
    record = AuditRecord(now(), "fetch", "id", "192.0.2.1", Status.SUCCESS, "anonymous", "r1", None)
    ChainWriter(store.audit, key.keys).append([record], 5)


class Overtaken(AuditKeyStore):
    """Another process creates the key and writes records right after this one's first read."""

    def __init__(self, database: Database, store: Store, other: AuditKey) -> None:
        super().__init__(database)
        self._store = store
        self._other = other
        self._looked = False

    def find(self) -> SealedAuditKey | None:
        """Return what the database had before."""
        found = super().find()
        if not self._looked:
            self._looked = True
            write(self._store, self._other)
        return found


def test_a_process_that_loses_the_race_uses_the_other_key(
    store: Store, database: Database, ring: KeyRing
) -> None:
    """All replicas may start at the same time on an empty database."""
    other = AuditKey(store.audit_keys, store.audit, ring)
    overtaken = AuditKey(Overtaken(database, store, other), store.audit, ring)

    assert overtaken.keys() == other.keys()


def test_no_key_is_created_if_records_exist_but_their_key_is_gone(
    store: Store, database: Database, ring: KeyRing
) -> None:
    """The error says what to restore; with another key no existing record could be verified."""
    write(store, AuditKey(store.audit_keys, store.audit, ring))
    database.meta.delete_one({"_id": "audit_key"})

    with pytest.raises(StoreUnavailable, match="from a backup"):
        AuditKey(store.audit_keys, store.audit, ring).keys()
