"""What the operator's commands work with that need the database and the master keys."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .. import master_keys
from ..audit.recorder import Entry, Recorder
from ..crypto.keyring import KeyRing
from ..environment import Environment
from ..models import Caller
from ..settings import StoreSettings
from ..store.store import Store
from ..vault import policy
from ..vault.proof import KeyProof
from ..vault.wraps import WrapCounter


@dataclass(frozen=True, slots=True)
class Opened:
    """The parts, while they are open."""

    store: Store
    ring: KeyRing
    proof: KeyProof
    recorder: Recorder

    @contextmanager
    def entry(self, operation: str) -> Iterator[Entry]:
        """Open the operator's record of one operation; see ``Recorder.entry``."""
        caller = Caller(client_ip="127.0.0.1", request_id=uuid.uuid4().hex)
        with self.recorder.entry(operation, caller) as entry:
            entry.actor = policy.OPERATOR.actor
            yield entry


@contextmanager
def opened(time_limit: int | None = None) -> Iterator[Opened]:
    """Open what the environment names; an operation of the database may take ``time_limit`` seconds.

    Without it, it is as long as in the service.

    Raises:
        StartRefused: the configuration cannot be used, or the database is not there.
    """
    # Not all settings of the service: a leaked token is revoked also where the certificate has ended.
    environment = Environment(os.environ)
    settings = StoreSettings.from_environment(environment)
    # Read once: what a command begins under one primary key it ends under the same.
    held = master_keys.load(environment)
    store = Store(settings.mongo_uri, time_limit or settings.mongo_timeout, settings.mongo_tls)
    try:
        store.wait_until_usable(settings.startup_timeout)
        ring = KeyRing(lambda: held, WrapCounter(store.keys).count)
        yield Opened(
            store,
            ring,
            KeyProof(store.canaries, store.secrets, ring, store.keys, store.sealed),
            Recorder(store.audit, settings.mongo_timeout, enabled=environment.boolean("AUDIT_ENABLED", True)),
        )
    finally:
        store.close()
