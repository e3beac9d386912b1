"""The collections in a backup, and how a restore treats each; a test requires every collection to be here.

The order matters: collections that grow come last, so that the ones everything depends on are read early in
the snapshot's limited lifetime.
"""

from __future__ import annotations

from enum import Enum, auto

from . import (
    approles,
    audit,
    canary,
    checkpoints,
    grants,
    rate_limits,
    secret_ids,
    secrets,
    sessions,
    shares,
    tokens,
)


class RestorePolicy(Enum):
    """How a restore treats the documents that a collection already has."""

    # Existing documents are removed: the collection becomes what it was.
    REPLACE = auto()
    # Existing documents stay, missing ones are added: no revocation or deletion is undone, and no record is
    # lost.
    ADD = auto()
    # The canary stays, and counts of wraps are added, because a count may be too high but never too low.  The
    # key of another log becomes a former one.
    MERGE_COUNTS = auto()
    # From the same log: missing documents are added.  From another log: they replace the existing ones.
    ADD_OR_REPLACE = auto()


INCLUDED: dict[str, RestorePolicy] = {
    canary.COLLECTION: RestorePolicy.MERGE_COUNTS,
    tokens.COLLECTION: RestorePolicy.ADD,
    # A share that was opened since stays so, although its secret comes back.
    shares.COLLECTION: RestorePolicy.ADD,
    grants.COLLECTION: RestorePolicy.ADD,
    approles.COLLECTION: RestorePolicy.ADD,
    secret_ids.COLLECTION: RestorePolicy.ADD,
    checkpoints.CHECKPOINTS: RestorePolicy.ADD_OR_REPLACE,
    secrets.COLLECTION: RestorePolicy.REPLACE,
    audit.COLLECTION: RestorePolicy.ADD,
}

# Counts of the current minute, and which processes are alive: both are out of date a minute later.  Sessions
# have ended before anybody restores them.
EXCLUDED = frozenset({rate_limits.COLLECTION, checkpoints.WRITERS, sessions.COLLECTION})

# The purposes of staging collections, which hold a backup until it proves to be complete.  The service may
# drop these collections and no others.
RESTORE, DRILL = "restore", "drill"


def staging_name(purpose: str, collection: str) -> str:
    """Return the name of the staging collection for a backup's collection."""
    return f"{purpose}.{collection}"


STAGING_COLLECTIONS = tuple(
    staging_name(purpose, collection) for purpose in (RESTORE, DRILL) for collection in INCLUDED
)
