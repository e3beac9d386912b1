"""The database, the keys and the audit log, for the commands that work on secrets and tokens.

The service itself needs no more.  Anybody who has these can read every secret anyway, so the commands
require no token; the audit log names the actor ``operator``.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ..access import policy
from ..audit.checkpointer import AuditLog, Checkpointer, audit_log
from ..audit.deliveries import Deliveries
from ..audit.recorder import Entry, Recorder
from ..audit.writer import ChainWriter
from ..crypto.keyring import KeyRing
from ..environment import process_environment
from ..errors import CannotDecrypt, Unavailable
from ..keys import loading
from ..keys.canary import KeyRingCheck
from ..keys.default_database import require_not_instead
from ..keys.wrap_counter import WrapCounter
from ..models import Caller
from ..secrets.folder_defaults import FolderDefaults
from ..secrets.services import SecretServices
from ..settings import StoreSettings, max_secret_bytes
from ..store.store import Store


@dataclass(frozen=True, slots=True)
class Runtime:
    """The services of one command, ready for use."""

    store: Store
    ring: KeyRing
    key_check: KeyRingCheck
    recorder: Recorder
    secrets: SecretServices
    audit_log: AuditLog

    @contextmanager
    def entry(self, operation: str) -> Iterator[Entry]:
        """Open the audit record of one operation by the operator; see ``Recorder.entry``."""
        caller = Caller(client_ip="127.0.0.1", request_id=uuid.uuid4().hex)
        with self.recorder.entry(operation, caller) as entry:
            entry.actor = policy.OPERATOR.actor
            yield entry


@contextmanager
def open_runtime(operation_timeout: int | None = None, *, restores: bool = False) -> Iterator[Runtime]:
    """Wait until the database can be used, and yield the services that the environment configures.

    Each database operation may take ``operation_timeout`` seconds; the default is the service's own limit.
    A command that ``restores`` may fill an empty database while there is data in ``vault``.

    Raises:
        ConfigurationError: the configuration cannot be used.
    """
    # Not all settings of the service: a leaked token can be revoked even if the certificate has expired.
    environment = process_environment()
    settings = StoreSettings.from_environment(environment)
    max_bytes = max_secret_bytes(environment)
    # Read once, so that the primary key does not change during a command.
    held = loading.load(environment)
    store = Store(settings.mongo_uri, operation_timeout or settings.mongo_timeout, settings.mongo_tls)
    try:
        store.wait_until_usable(settings.startup_timeout)
        ring = KeyRing(lambda: held, WrapCounter(store.keys).count)
        if not restores:
            require_not_instead(store.default_database, ring)
        key_check = KeyRingCheck(store.canaries, store.secrets, ring, store.keys, store.rewrap)
        log = audit_log(
            store,
            ring,
            settings.audit_checkpoint_seconds,
            settings.audit_ttl_days,
            settings.audit_anchor_dir,
        )
        writer = ChainWriter(store.audit, log.key.keys)
        try:
            yield Runtime(
                store,
                ring,
                key_check,
                Recorder(writer, settings.mongo_timeout, enabled=environment.boolean("AUDIT_ENABLED", True)),
                SecretServices(
                    store.secrets,
                    store.listing,
                    ring,
                    key_check,
                    max_bytes,
                    Deliveries(store.audit, log.key),
                    FolderDefaults(store.secrets, ring, key_check),
                ),
                log,
            )
        finally:
            # If this fails, a serving process closes the chain later.
            with suppress(Unavailable, CannotDecrypt):
                Checkpointer(log, writer).end(settings.mongo_timeout)
    finally:
        store.close()
