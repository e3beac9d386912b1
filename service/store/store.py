"""The whole database behind one class, for ``app`` and the operator's commands."""

from __future__ import annotations

from contextlib import AbstractContextManager

from . import canary, indexes, waiting
from . import database as mongo_database
from .approles import AppRoleStore
from .audit import AuditStore
from .audit_keys import AuditKeyStore
from .canary import CanaryStore
from .checkpoints import AcceptanceStore, CheckpointStore, WriterStore
from .default_database import DefaultDatabase
from .disk import DiskUsage
from .disk import disk_usage as _disk_usage
from .drills import DrillStore
from .grants import GrantStore
from .master_keys import KeyStore
from .rate_limits import RateLimitStore
from .restore import RestoreStore
from .rewrap import RewrapStore
from .secret_ids import SecretIdStore
from .secret_listing import ListingStore
from .secrets import SecretStore
from .sessions import SessionStore
from .shares import ShareStore
from .snapshot import Snapshot, take_snapshot
from .staging import Staging
from .tls import MongoTls
from .tokens import TokenStore


class Store:
    """The collections of one database, over one client; ``operation_timeout`` is in seconds.

    Raises:
        ConfigurationError: the connection string or a TLS file cannot be used.
    """

    def __init__(self, uri: str, operation_timeout: float, tls: MongoTls | None = None) -> None:
        self._uri, self._tls = uri, tls
        self._client = mongo_database.connect(uri, operation_timeout, tls)
        self._database = mongo_database.database(self._client)
        self._operation_timeout = operation_timeout
        self.default_database = DefaultDatabase(self._client, self._database)
        self.secrets = SecretStore(self._database, operation_timeout)
        self.listing = ListingStore(self._database)
        self.audit = AuditStore(self._client, self._database)
        self.audit_keys = AuditKeyStore(self._database)
        self.checkpoints = CheckpointStore(self._database)
        self.writers = WriterStore(self._database)
        self.acceptances = AcceptanceStore(self._database)
        self.canaries = CanaryStore(self._database[canary.COLLECTION])
        self.keys = KeyStore(self._database)
        self.rewrap = RewrapStore(self._database)
        self.tokens = TokenStore(self._database, operation_timeout)
        self.sessions = SessionStore(self._database, operation_timeout)
        self.shares = ShareStore(self._database, operation_timeout)
        self.grants = GrantStore(self._database)
        self.approles = AppRoleStore(self._database)
        self.secret_ids = SecretIdStore(self._database, operation_timeout)
        self.rate_limits = RateLimitStore(self._database)
        self.drills = DrillStore(self._database)
        self.restores = RestoreStore(self._database, self.canaries, self.keys, self.audit_keys)

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Fix a point in time for a backup; see ``take_snapshot``."""
        return take_snapshot(self._client, self._database)

    def staging(self, purpose: str) -> Staging:
        """Return the staging area of a backup, for ``backup_collections.RESTORE`` or ``.DRILL``."""
        return Staging(self._database, purpose)

    def request_deadline(self) -> AbstractContextManager[object]:
        """Limit the total time of this thread's operations inside the ``with``."""
        return mongo_database.deadline_in(self._operation_timeout)

    def ping(self) -> None:
        """Ask the primary for an answer.

        Raises:
            StoreUnavailable: it did not answer.
        """
        mongo_database.ping(self._database)

    def disk_usage(self) -> DiskUsage | None:
        """Return the usage of the database's disk; see ``disk.disk_usage``."""
        return _disk_usage(self._database)

    def wait_until_usable(self, seconds: float) -> None:
        """Wait for a primary; see ``waiting.wait_until_usable``."""
        waiting.wait_until_usable(self._client, self._uri, self._tls, seconds)

    def reconcile_indexes(self, audit_ttl_days: int, *, check: bool = False) -> list[str]:
        """Create or correct the indexes; see ``indexes.reconcile``."""
        return indexes.reconcile(self._database, indexes.declared(audit_ttl_days), check=check)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()
