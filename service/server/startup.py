"""Preparation before the first worker: waits for the database, reconciles indexes, checks the keys."""

from __future__ import annotations

import logging
import threading

from ..app import key_ring
from ..audit import anchors
from ..audit.checkpointer import audit_log
from ..crypto.keyring import KeyRing
from ..errors import CannotDecrypt, Unavailable
from ..keys import text_keys
from ..keys.canary import KeyRingCheck
from ..keys.default_database import require_not_instead
from ..settings import Settings
from ..store.store import Store

log = logging.getLogger(__name__)

# The driver's threads check twice per second whether their client was closed.
_THREADS_END_SECONDS = 5


def prepare(settings: Settings) -> None:
    """Prepare the database for the workers; keep no connection and no thread.

    A connection would not survive the fork; a greenlet would, in each of the workers.

    A key ring that does not match the database does not stop the start: the service is not ready and reports
    why, and becomes ready once the missing key is added to its folder.  Nor does an audit log that was put
    back: callers would be without their secrets until somebody has looked into it.

    Raises:
        ConfigurationError: the database was not usable in time, or it is empty and its data in another one.
        StoreUnavailable: the database stopped answering.
    """
    store = Store(settings.store.mongo_uri, settings.store.mongo_timeout, settings.store.mongo_tls)
    try:
        store.wait_until_usable(settings.store.startup_timeout)
        ring = key_ring(settings, store)
        require_not_instead(store.default_database, ring)
        if text_keys.text_key_ids(ring):
            log.warning("%s", text_keys.WARNING)
        for change in store.reconcile_indexes(settings.store.audit_ttl_days):
            log.info("%s", change)
        try:
            KeyRingCheck(store.canaries, store.secrets, ring, store.keys, store.rewrap).check()
            if settings.audit_enabled:
                _compare_with_anchor(settings, store, ring)
        except (Unavailable, CannotDecrypt) as error:
            log.error("not ready: %s", error)
    finally:
        store.close()
        for thread in threading.enumerate():
            if thread is not threading.main_thread():
                thread.join(_THREADS_END_SECONDS)


def _compare_with_anchor(settings: Settings, store: Store, ring: KeyRing) -> None:
    audit = audit_log(
        store,
        ring,
        settings.store.audit_checkpoint_seconds,
        settings.store.audit_ttl_days,
        settings.store.audit_anchor_dir,
    )
    if audit.anchor is not None and (problem := anchors.state(audit)):
        log.warning("the audit log does not continue its anchor: %s", problem)
