"""Which collections a backup keeps, declared once; a test demands that each one is named here.

Those that grow come last, so that what everything else rests on is read while the point in time is fresh.
"""

from __future__ import annotations

from enum import Enum, auto

from . import audit, canary, checkpoints, rate_limits, secrets, tokens


class OnRestore(Enum):
    """What becomes of documents that are there when a backup is brought back."""

    # All that is there makes way: the collection becomes what it was.
    REPLACED = auto()
    # What is there stays, and what is missing comes back: nobody's revocation is undone, no record is lost.
    COMPLETED = auto()
    # The canary stays, and counts of wraps add up, because a count may be too high but never too low. The key
    # of another log becomes a former one.
    ADDED_UP = auto()
    # Of the same log: what is missing comes back. Of another log: these take the place of its own.
    CONTINUED = auto()


KEPT: dict[str, OnRestore] = {
    canary.COLLECTION: OnRestore.ADDED_UP,
    tokens.COLLECTION: OnRestore.COMPLETED,
    checkpoints.CHECKPOINTS: OnRestore.CONTINUED,
    secrets.COLLECTION: OnRestore.REPLACED,
    audit.COLLECTION: OnRestore.COMPLETED,
}

# Counts of the present minute, and which processes live, which are worth nothing in the next.
LEFT_OUT = frozenset({rate_limits.COLLECTION, checkpoints.WRITERS})

# Where a backup lies, apart from everything, until it has shown to be whole: for bringing it back, and for
# a drill.  The service may drop these collections and no others.
RESTORE, DRILL = "restore", "drill"


def staged(purpose: str, collection: str) -> str:
    """Return the name under which a backup's collection lies apart."""
    return f"{purpose}.{collection}"


STAGED = tuple(staged(purpose, collection) for purpose in (RESTORE, DRILL) for collection in KEPT)
