"""What is done once, before the first worker: reach the database, bring it in line, try the keys."""

from __future__ import annotations

import logging
import threading

from ..app import key_ring
from ..errors import CannotDecrypt, Unavailable
from ..keys.canary import KeyRingCheck
from ..settings import Settings
from ..store.store import Store

log = logging.getLogger(__name__)

# The driver's threads look twice a second whether their client was closed.
_THREADS_END_SECONDS = 5


def prepare(settings: Settings) -> None:
    """Make the database ready for the workers; keeps no connection and no thread.

    A connection would not survive the fork, and a greenlet would, in each of the workers.

    A key ring that does not fit is no reason to stop here: the service starts, is not ready, and
    says why, and a key that is added to its folder mends it.

    Raises:
        ConfigurationError: the database was not usable in time.
        StoreUnavailable: it went away meanwhile.
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
