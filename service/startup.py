"""What is done once, before the first worker: reach the database, bring it in line, try the keys."""

from __future__ import annotations

import logging

from .app import key_ring
from .errors import Unavailable, Unopenable
from .settings import Settings
from .store.store import Store
from .vault.proof import KeyProof

log = logging.getLogger(__name__)


def prepare(settings: Settings) -> None:
    """Make the database ready for the workers; keeps no connection, because none survives a fork.

    A key ring that does not fit is no reason to stop here: the service starts, is not ready, and
    says why, and a key that is added to its folder mends it.

    Raises:
        StartRefused: the database was not usable in time.
        StoreUnavailable: it went away meanwhile.
    """
    store = Store(settings.store.mongo_uri, settings.store.mongo_timeout, settings.store.mongo_tls)
    try:
        store.wait_until_usable(settings.store.startup_timeout)
        for change in store.reconcile_indexes(settings.store.audit_ttl_days):
            log.info("%s", change)
        try:
            ring = key_ring(settings, store)
            KeyProof(store.canaries, store.secrets, ring, store.keys, store.sealed).check()
        except (Unavailable, Unopenable) as error:
            log.error("not ready: %s", error)
    finally:
        store.close()
