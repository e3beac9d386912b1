"""vault.audit_key: one key for all processes, whoever comes first."""

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
    """Let a process write a record."""
    record = AuditRecord(now(), "fetch", "id", "192.0.2.1", Status.SUCCESS, "anonymous", "r1", None)
    ChainWriter(store.audit, key.keys).append([record], 5)


class Overtaken(AuditKeyStore):
    """Another process makes the key and writes records right after this one's first look."""

    def __init__(self, database: Database, store: Store, other: AuditKey) -> None:
        super().__init__(database)
        self._store = store
        self._other = other
        self._looked = False

    def find(self) -> SealedAuditKey | None:
        """Return what there was before."""
        found = super().find()
        if not self._looked:
            self._looked = True
            write(self._store, self._other)
        return found


def test_a_process_that_is_overtaken_takes_the_key_of_the_other(
    store: Store, database: Database, ring: KeyRing
) -> None:
    """All replicas start at once on an empty database."""
    other = AuditKey(store.audit_keys, store.audit, ring)
    overtaken = AuditKey(Overtaken(database, store, other), store.audit, ring)

    assert overtaken.keys() == other.keys()


def test_no_key_is_made_where_records_have_lost_theirs(
    store: Store, database: Database, ring: KeyRing
) -> None:
    """The error says what to bring back; another key would make all that is written worthless."""
    write(store, AuditKey(store.audit_keys, store.audit, ring))
    database.meta.delete_one({"_id": "audit_key"})

    with pytest.raises(StoreUnavailable, match="from a backup"):
        AuditKey(store.audit_keys, store.audit, ring).keys()
