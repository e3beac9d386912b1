"""Declares every index the service needs, and creates or corrects them in a database."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pymongo import ASCENDING, DESCENDING
from pymongo.database import Database
from pymongo.errors import AutoReconnect, OperationFailure

from ..models import Status
from . import approles, audit, grants, rate_limits, secret_ids, secrets, sessions, shares, tokens
from .database import Document, map_errors

IndexKeys = tuple[tuple[str, int], ...]

_SECONDS_PER_DAY = 86_400
# For so long, an operator who investigates a rejected program can still find its token; and a grant or a role
# that was deleted does not come back with a backup from before that.
_KEEP_ENDED_DAYS = 30
# For so long, whoever comes back to a session is told that it has ended.
_KEEP_SESSIONS_DAYS = 1
_ATTEMPTS = 5
_PAUSE_SECONDS = 0.5
# Server error codes (MongoDB's error_codes.yml) that mean: another process changed it at the same time.
_RACES = {
    26,  # NamespaceNotFound
    27,  # IndexNotFound
    85,  # IndexOptionsConflict
    86,  # IndexKeySpecsConflict
    117,  # ConflictingOperationInProgress
    276,  # IndexBuildAborted
}


@dataclass(frozen=True, slots=True)
class Index:
    """One declared index.

    With ``expire_days`` of None documents never expire; with 0 they expire at the time in the field.  A
    ``unique`` index leaves out documents without the field.  With ``only``, it contains just the documents
    that this filter selects; a query uses it only if it has these conditions as well.
    """

    collection: str
    keys: IndexKeys
    expire_days: int | None = None
    unique: bool = False
    only: Document | None = None

    @property
    def name(self) -> str:
        """The name that MongoDB would give it."""
        return "_".join(f"{field}_{direction}" for field, direction in self.keys)

    @property
    def expire_seconds(self) -> int | None:
        """The value of ``expireAfterSeconds``."""
        return None if self.expire_days is None else self.expire_days * _SECONDS_PER_DAY


@dataclass(frozen=True, slots=True)
class Change:
    """One change to the database; ``text`` describes it to the operator."""

    index: Index
    existing: Mapping[str, Any] | None
    text: str


def declared(audit_ttl_days: int) -> tuple[Index, ...]:
    """Return every index that the database should have."""
    return (
        Index(audit.COLLECTION, (("timestamp", ASCENDING),), expire_days=audit_ttl_days or None),
        # One for each field that the log is searched by; every search has a time range.
        *(
            Index(audit.COLLECTION, ((field, ASCENDING), ("timestamp", DESCENDING)))
            for field in ("secret_id", "actor", "client_ip", "operation", "path")
        ),
        # Those that few records have.
        *(
            Index(audit.COLLECTION, ((field, ASCENDING), ("timestamp", DESCENDING)), only=_present(field))
            for field in ("new_path", "service", "task_id", "node_id")
        ),
        # Who was given which version last.
        Index(
            audit.COLLECTION,
            (
                *((field, ASCENDING) for field in ("secret_id", "version", "service")),
                ("timestamp", DESCENDING),
            ),
            only=audit.DELIVERED,
        ),
        # Failures are few; a search for successes reads most of the log anyway.
        Index(
            audit.COLLECTION,
            (("status", ASCENDING), ("timestamp", DESCENDING)),
            only={"status": Status.FAILURE},
        ),
        Index(secrets.COLLECTION, (("path", ASCENDING),), unique=True),
        Index(secrets.COLLECTION, (("former_path", ASCENDING), ("destroyed_at", DESCENDING))),
        Index(secrets.COLLECTION, (("ends_at", ASCENDING),), expire_days=0),
        # One for each kind of list: first the fields it filters by, last the one it is sorted by.
        Index(secrets.COLLECTION, (("shelf", ASCENDING), ("path", ASCENDING), ("_id", ASCENDING))),
        Index(secrets.COLLECTION, (("shelf", ASCENDING), ("owner", ASCENDING), ("_id", ASCENDING))),
        Index(secrets.COLLECTION, (("shelf", ASCENDING), ("labels", ASCENDING), ("path", ASCENDING))),
        # What is under which master key: queried at every start after a rotation, and by every rewrap.
        Index(secrets.COLLECTION, (("versions.data_key", ASCENDING),)),
        Index(secrets.COLLECTION, (("tag", ASCENDING),)),
        Index(tokens.COLLECTION, (("tag", ASCENDING),)),
        Index(tokens.COLLECTION, (("created_by", ASCENDING),)),
        Index(tokens.COLLECTION, (("makers", ASCENDING),)),
        Index(tokens.COLLECTION, (("ended_at", ASCENDING),), expire_days=_KEEP_ENDED_DAYS),
        # Whose drivers' tokens end next; every scrape of the metrics asks.
        Index(tokens.COLLECTION, (("scopes", ASCENDING), ("ended_at", ASCENDING))),
        Index(sessions.COLLECTION, (("tag", ASCENDING),)),
        Index(sessions.COLLECTION, (("token_id", ASCENDING), ("_id", ASCENDING))),
        Index(sessions.COLLECTION, (("ended_at", ASCENDING),), expire_days=_KEEP_SESSIONS_DAYS),
        Index(shares.COLLECTION, (("tag", ASCENDING),)),
        Index(
            shares.COLLECTION, (("created_by", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING))
        ),
        Index(shares.COLLECTION, (("ended_at", ASCENDING),), expire_days=_KEEP_ENDED_DAYS),
        Index(grants.COLLECTION, (("tag", ASCENDING),)),
        Index(grants.COLLECTION, (("ended_at", ASCENDING),), expire_days=_KEEP_ENDED_DAYS),
        Index(approles.COLLECTION, (("live_name", ASCENDING),), unique=True),
        Index(secret_ids.COLLECTION, (("role_id", ASCENDING), ("_id", ASCENDING))),
        *(
            index
            for collection in (approles.COLLECTION, secret_ids.COLLECTION)
            for index in (
                Index(collection, (("tag", ASCENDING),)),
                Index(collection, (("makers", ASCENDING),)),
                Index(collection, (("ended_at", ASCENDING),), expire_days=_KEEP_ENDED_DAYS),
            )
        ),
        Index(rate_limits.COLLECTION, (("ended_at", ASCENDING),), expire_days=0),
    )


def reconcile(database: Database[Document], indexes: tuple[Index, ...], *, check: bool = False) -> list[str]:
    """Create missing indexes and correct expiries; return one line per change.

    With ``check`` nothing is changed, and the lines say what would be.  Undeclared indexes are left alone.
    Several processes may run it at the same time.

    Raises:
        StoreUnavailable: the database did not answer, or rejected a change.
    """
    with map_errors():
        if check:
            return [change.text for change in _plan(database, indexes)]
        done: list[str] = []
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                for change in _plan(database, indexes):
                    _apply(database, change)
                    done.append(change.text)
                break
            except (AutoReconnect, OperationFailure) as error:
                # An election or another replica interfered; both are over in a moment.
                if attempt == _ATTEMPTS or (isinstance(error, OperationFailure) and error.code not in _RACES):
                    raise
                time.sleep(_PAUSE_SECONDS)
        return done


def _plan(database: Database[Document], indexes: tuple[Index, ...]) -> Iterator[Change]:
    for index in indexes:
        # By key, not by name: an index with another name serves as well, and MongoDB rejects a second
        # one over the same key.
        existing = next(
            (found for found in database[index.collection].list_indexes() if _keys(found) == index.keys),
            None,
        )
        label = f"{index.collection}: index {index.name}"
        if existing is None:
            expiry = "" if index.expire_days is None else f" with an expiry of {index.expire_days} days"
            yield Change(index, None, f"{label}: created{expiry}")
        elif existing.get("expireAfterSeconds") != index.expire_seconds:
            was, now = _format_days(existing.get("expireAfterSeconds")), _format_days(index.expire_seconds)
            yield Change(index, existing, f"{label}: expiry changed from {was} to {now}")
        elif index.unique and not existing.get("unique"):
            yield Change(index, existing, f"{label}: made unique")


def _apply(database: Database[Document], change: Change) -> None:
    index, existing = change.index, change.existing
    collection = database[index.collection]
    if existing is not None and index.expire_seconds is not None:
        database.command(
            "collMod",
            index.collection,
            index={"name": existing["name"], "expireAfterSeconds": index.expire_seconds},
        )
        return
    if existing is not None:
        # collMod can neither remove an expiry nor make an index sparse.
        collection.drop_index(existing["name"])
    options: dict[str, Any] = {"unique": True, "sparse": True} if index.unique else {}
    if index.only is not None:
        options["partialFilterExpression"] = index.only
    if index.expire_seconds is not None:
        options["expireAfterSeconds"] = index.expire_seconds
    collection.create_index(list(index.keys), name=index.name, **options)


def _present(field: str) -> Document:
    return {field: {"$exists": True}}


def _keys(found: Mapping[str, Any]) -> IndexKeys:
    return tuple((field, direction) for field, direction in found["key"].items())


def _format_days(seconds: float | None) -> str:
    if seconds is None:
        return "none"
    days = seconds / _SECONDS_PER_DAY
    return f"{days:g} days"
