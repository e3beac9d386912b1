"""Every index the service needs, declared once, and the way to bring a database in line with it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pymongo import ASCENDING, DESCENDING
from pymongo.database import Database
from pymongo.errors import AutoReconnect, OperationFailure

from ..models import Status
from . import audit, rate_limits, secrets, tokens
from .database import Document, map_errors

IndexKeys = tuple[tuple[str, int], ...]

_SECONDS_PER_DAY = 86_400
# Who looks into why a program was refused finds its token for so long.
_KEEP_ENDED_TOKENS_DAYS = 30
_ATTEMPTS = 5
_PAUSE_SECONDS = 0.5
# Server error codes (MongoDB's error_codes.yml) that mean: another process changed it meanwhile.
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
    """One wanted index; with ``expire_days`` of None documents stay, with 0 they go when their time has come.

    A ``unique`` one leaves out documents that lack the field.  With ``only`` it holds the documents in which
    the first field has that value.
    """

    collection: str
    keys: IndexKeys
    expire_days: int | None = None
    unique: bool = False
    only: str | None = None

    @property
    def name(self) -> str:
        """The name MongoDB itself would give it."""
        return "_".join(f"{field}_{direction}" for field, direction in self.keys)

    @property
    def expire_seconds(self) -> int | None:
        """The expiry as MongoDB takes it."""
        return None if self.expire_days is None else self.expire_days * _SECONDS_PER_DAY


@dataclass(frozen=True, slots=True)
class Change:
    """One step towards the wanted state; ``text`` says it to the operator."""

    index: Index
    existing: Mapping[str, Any] | None
    text: str


def wanted(audit_ttl_days: int) -> tuple[Index, ...]:
    """Return every index of the database."""
    return (
        Index(audit.COLLECTION, (("timestamp", ASCENDING),), expire_days=audit_ttl_days or None),
        # One for each thing that the log is searched by, as every search has a range of time.
        *(
            Index(audit.COLLECTION, ((field, ASCENDING), ("timestamp", DESCENDING)))
            for field in ("secret_id", "actor", "client_ip", "operation", "path")
        ),
        # Failures are few; whoever looks for successes reads what there is.
        Index(audit.COLLECTION, (("status", ASCENDING), ("timestamp", DESCENDING)), only=Status.FAILURE),
        Index(secrets.COLLECTION, (("path", ASCENDING),), unique=True),
        Index(secrets.COLLECTION, (("former_path", ASCENDING), ("destroyed_at", DESCENDING))),
        Index(secrets.COLLECTION, (("ends_at", ASCENDING),), expire_days=0),
        # One for each kind of list; what a list has in common comes first, its order last.
        Index(secrets.COLLECTION, (("shelf", ASCENDING), ("path", ASCENDING), ("_id", ASCENDING))),
        Index(secrets.COLLECTION, (("shelf", ASCENDING), ("owner", ASCENDING), ("_id", ASCENDING))),
        Index(secrets.COLLECTION, (("shelf", ASCENDING), ("labels", ASCENDING), ("path", ASCENDING))),
        # What is under which master key: they are asked at every start after a rotation, and by every rewrap.
        Index(secrets.COLLECTION, (("versions.data_key", ASCENDING),)),
        Index(secrets.COLLECTION, (("tag", ASCENDING),)),
        Index(tokens.COLLECTION, (("tag", ASCENDING),)),
        Index(tokens.COLLECTION, (("created_by", ASCENDING),)),
        Index(tokens.COLLECTION, (("ended_at", ASCENDING),), expire_days=_KEEP_ENDED_TOKENS_DAYS),
        Index(rate_limits.COLLECTION, (("ended_at", ASCENDING),), expire_days=0),
    )


def reconcile(database: Database[Document], indexes: tuple[Index, ...], *, check: bool = False) -> list[str]:
    """Create what is missing and correct expiries; return what changed, a line each.

    With ``check`` nothing is changed, and the lines say what would be.  Indexes that nobody
    declared are left alone.  Safe when several processes do it at once.

    Raises:
        StoreUnavailable: the database did not answer, or refused.
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
                # An election or another replica came between: both are over in a moment.
                if attempt == _ATTEMPTS or (isinstance(error, OperationFailure) and error.code not in _RACES):
                    raise
                time.sleep(_PAUSE_SECONDS)
        return done


def _plan(database: Database[Document], indexes: tuple[Index, ...]) -> Iterator[Change]:
    for index in indexes:
        # By key, not by name: an index that somebody else named serves as well, and MongoDB
        # refuses a second one over the same key.
        existing = next(
            (found for found in database[index.collection].list_indexes() if _keys(found) == index.keys),
            None,
        )
        label = f"{index.collection}: index {index.name}"
        if existing is None:
            expiry = "" if index.expire_days is None else f" with an expiry of {index.expire_days} days"
            yield Change(index, None, f"{label}: created{expiry}")
        elif existing.get("expireAfterSeconds") != index.expire_seconds:
            was, now = _in_words(existing.get("expireAfterSeconds")), _in_words(index.expire_seconds)
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
        # collMod can neither take an expiry away nor make an index sparse.
        collection.drop_index(existing["name"])
    options: dict[str, Any] = {"unique": True, "sparse": True} if index.unique else {}
    if index.only is not None:
        options["partialFilterExpression"] = {index.keys[0][0]: index.only}
    if index.expire_seconds is not None:
        options["expireAfterSeconds"] = index.expire_seconds
    collection.create_index(list(index.keys), name=index.name, **options)


def _keys(found: Mapping[str, Any]) -> IndexKeys:
    return tuple((field, direction) for field, direction in found["key"].items())


def _in_words(seconds: float | None) -> str:
    if seconds is None:
        return "none"
    days = seconds / _SECONDS_PER_DAY
    return f"{days:g} days"
