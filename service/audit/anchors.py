"""Compares the log with checkpoints outside the database: a log that was put back does not have them.

An operator who puts an older state back accepts that.  The acceptance is authenticated by the audit key, and
checkpoints made before it do not count any more; later ones do, so an old acceptance is of no use to anybody.
"""

from __future__ import annotations

import hmac
import logging
from datetime import datetime

from ..crypto.canonical import encode
from ..errors import Tampered
from . import checkpoints
from .chain import AuditKeys
from .checkpointer import AuditLog
from .checkpoints import Checkpoint

log = logging.getLogger(__name__)


def follow(audit_log: AuditLog) -> None:
    """Keep the newest checkpoint in the anchor, if the log still has the one that is kept there.

    Raises:
        StoreUnavailable: the database did not answer.
        CannotDecrypt: the audit key cannot be opened, or the anchor cannot be read.
        ConfigurationError: the anchor cannot be written.
    """
    anchor = audit_log.anchor
    if anchor is None:
        return
    kept = anchor.read()
    newest = newest_checkpoint(audit_log)
    if newest is None or newest == kept:
        return
    if kept is not None and (problem := compare(audit_log, kept)) is not None:
        log.error("the audit log was put back or replaced: %s", problem)
        return
    anchor.replace(kept, newest)


def state(audit_log: AuditLog) -> str | None:
    """Return what is wrong with the anchor, or with the log compared with it; an empty text if nothing is.

    None if there is no anchor, or nothing in it yet.

    Raises:
        StoreUnavailable: the database did not answer.
        CannotDecrypt: the audit key cannot be opened.
    """
    anchor = audit_log.anchor
    if anchor is None:
        return None
    if not anchor.is_writable():
        return "the folder in AUDIT_ANCHOR_DIR cannot be written to"
    try:
        kept = anchor.read()
    except Tampered as error:
        return str(error)
    return None if kept is None else compare(audit_log, kept) or ""


def compare(audit_log: AuditLog, outside: Checkpoint) -> str | None:
    """Return why the log does not continue a checkpoint from outside the database, or None if it does.

    Raises:
        StoreUnavailable: the database did not answer.
        CannotDecrypt: the audit key cannot be opened.
    """
    keys = audit_log.key.open().keys
    if is_accepted(outside, accepted_until(audit_log, keys)):
        return None
    name = f"checkpoint {outside.number} of {outside.at.isoformat()}, which is kept outside the database,"
    if not checkpoints.is_authentic(keys, outside):
        return f"{name} is of another audit log, or was altered"
    document = audit_log.checkpoints.find(outside.number)
    if document is None:
        return f"{name} is no longer in the database"
    if document.get("mac") != outside.mac.hex():
        return f"{name} differs from the one in the database"
    return None


def newest_checkpoint(audit_log: AuditLog) -> Checkpoint | None:
    """Return the newest checkpoint in the database, or None if there is none or it does not authenticate.

    Raises:
        StoreUnavailable: the database did not answer.
        CannotDecrypt: the audit key cannot be opened.
    """
    document = audit_log.checkpoints.newest()
    return None if document is None else checkpoints.authentic(audit_log.key.open().keys, document)


def accept(audit_log: AuditLog) -> datetime:
    """Accept the log as it is: checkpoints outside the database that were made until now no longer count.

    Raises:
        StoreUnavailable: it may or may not have been stored.
        CannotDecrypt: the audit key cannot be opened.
    """
    # With the database's precision.
    at = audit_log.clock()
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    audit_log.acceptances.write(at, _mac(audit_log.key.reopen().keys, at))
    return at


def accepted_until(audit_log: AuditLog, keys: AuditKeys) -> datetime | None:
    """Return the time of the last acceptance, or None if there is no authentic one.

    Raises:
        StoreUnavailable: the database did not answer.
    """
    found = audit_log.acceptances.find()
    if found is None:
        return None
    at, mac = found
    if any(hmac.compare_digest(mac, _mac(each, at)) for each in (keys, *keys.former)):
        return at
    log.error("the acceptance of an older audit log was altered: it does not count")
    return None


def is_accepted(outside: Checkpoint, until: datetime | None) -> bool:
    """Return whether an acceptance until then has made a checkpoint count no longer."""
    return until is not None and outside.at <= until


def _mac(keys: AuditKeys, at: datetime) -> bytes:
    fields = {"purpose": "acceptance of an older log", "at": at.isoformat()}
    return hmac.digest(keys.checkpoints, encode(fields), "sha256")
