"""Which collections a backup keeps, declared once; a test demands that each one is named here.

Those that grow come last, so that what everything else rests on is read while the point in time is fresh.
"""

from __future__ import annotations

from enum import Enum, auto

from . import audit, canary, checkpoints, rate_limits, secrets, tokens


class RestorePolicy(Enum):
    """What becomes of documents that are there when a backup is brought back."""

    # All that is there makes way: the collection becomes what it was.
    REPLACE = auto()
    # What is there stays, and what is missing comes back: nobody's revocation is undone, no record is lost.
    ADD = auto()
    # The canary stays, and counts of wraps add up, because a count may be too high but never too low. The key
    # of another log becomes a former one.
    MERGE_COUNTS = auto()
    # Of the same log: what is missing comes back. Of another log: these take the place of its own.
    ADD_OR_REPLACE = auto()


INCLUDED: dict[str, RestorePolicy] = {
    canary.COLLECTION: RestorePolicy.MERGE_COUNTS,
    tokens.COLLECTION: RestorePolicy.ADD,
    checkpoints.CHECKPOINTS: RestorePolicy.ADD_OR_REPLACE,
    secrets.COLLECTION: RestorePolicy.REPLACE,
    audit.COLLECTION: RestorePolicy.ADD,
}

# Counts of the present minute, and which processes live, which are worth nothing in the next.
EXCLUDED = frozenset({rate_limits.COLLECTION, checkpoints.WRITERS})

# Where a backup lies, apart from everything, until it has shown to be whole: for bringing it back, and for
# a drill.  The service may drop these collections and no others.
RESTORE, DRILL = "restore", "drill"


def staging_name(purpose: str, collection: str) -> str:
    """Return the name under which a backup's collection lies apart."""
    return f"{purpose}.{collection}"


STAGING_COLLECTIONS = tuple(
    staging_name(purpose, collection) for purpose in (RESTORE, DRILL) for collection in INCLUDED
)
