"""Preparation before the first worker: waits for the database, reconciles indexes, checks the keys."""

from __future__ import annotations

import logging
import threading

from ..app import key_ring
from ..errors import CannotDecrypt, Unavailable
from ..keys.canary import KeyRingCheck
from ..settings import Settings
from ..store.store import Store

log = logging.getLogger(__name__)

# The driver's threads check twice per second whether their client was closed.
_THREADS_END_SECONDS = 5


def prepare(settings: Settings) -> None:
    """Prepare the database for the workers; keep no connection and no thread.

    A connection would not survive the fork; a greenlet would, in each of the workers.

    A key ring that does not match the database does not stop the start: the service is not ready and reports
    why, and becomes ready once the missing key is added to its folder.

    Raises:
        ConfigurationError: the database was not usable in time.
        StoreUnavailable: the database stopped answering.
    """
    store = Store(settings.store.mongo_uri, settings.store.mongo_timeout, settings.store.mongo_tls)
    try:
        store.wait_until_usable(settings.store.startup_timeout)
        for change in store.reconcile_indexes(settings.store.audit_ttl_days):
            log.info("%s", change)
        try:
            ring = key_ring(settings, store)
            KeyRingCheck(store.canaries, store.secrets, ring, store.keys, store.rewrap).check()
        except (Unavailable, CannotDecrypt) as error:
            log.error("not ready: %s", error)
    finally:
        store.close()
        for thread in threading.enumerate():
            if thread is not threading.main_thread():
                thread.join(_THREADS_END_SECONDS)
