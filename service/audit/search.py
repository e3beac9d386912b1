"""Searches the audit log page by page, the newest records first.

Who may see only what is about certain paths sees each record that names one of these, without any other path
that it names: a move out of their folder is theirs to know, where to is not.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from ..access import policy
from ..errors import InvalidFields
from ..models import Action, AuditRecord, Principal
from ..store.audit import AuditFilter, AuditStore, read
from .chain import is_authentic_document
from .key import AuditKey

MAX_PAGE = 1000

# The first byte of a cursor; another format gets another byte.
_FORMAT = b"\x01"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Python has no later time; MongoDB has.
_LAST = datetime(9999, 12, 31, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
# Far more than the service writes in a millisecond.
_MAX_PER_MILLISECOND = 10_000


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Finds records with all the values in ``equal``, from ``since`` to just before ``until``."""

    equal: Mapping[str, str] = field(default_factory=dict)
    since: datetime | None = None
    until: datetime | None = None
    cursor: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A record as stored; ``authentic`` says whether the service wrote it, with this content.

    Records from before there were chains have nothing to show it by.
    """

    record_id: str
    record: AuditRecord
    authentic: bool


@dataclass(frozen=True, slots=True)
class AuditPage:
    """The records; ``cursor`` is None on the last page."""

    records: list[FoundRecord]
    cursor: str | None


def search_log(log: AuditStore, key: AuditKey, principal: Principal, query: AuditQuery) -> AuditPage:
    """Return a page of about ``limit`` records: it includes all records of its last millisecond.

    Raises:
        Forbidden: the caller may not audit, or not the path that is searched for.
        InvalidFields: the cursor is invalid, or a time is outside the years 1 to 9999.
        StoreUnavailable: the database did not answer.
        CannotDecrypt: the audit key cannot be opened.
    """
    access = policy.audit_filter(principal)
    if (path := query.equal.get("path")) is not None:
        # Otherwise a guess at where something was moved to would be confirmed.
        policy.require_path(principal, Action.AUDIT_PATHS, path)
    until = _in_utc("until", query.until) if query.cursor is None else _position(query.cursor)
    # A record whose time is not a date was altered and is not found here; a verification reports it.
    since = _in_utc("since", query.since) or _EPOCH
    found = log.page(AuditFilter(query.equal, since, until or _LAST, access), query.limit)
    cursor = None
    if len(found) == query.limit:
        last = found[-1]["timestamp"]
        same = AuditFilter(query.equal, last, last + _MILLISECOND, access)
        rest = log.page(same, _MAX_PER_MILLISECOND)
        found = [document for document in found if document["timestamp"] > last] + rest
        cursor = _cursor(last)
    keys = key.keys()
    return AuditPage(
        [
            FoundRecord(
                str(document["_id"]),
                _visible(principal, read(document)),
                is_authentic_document(keys, document),
            )
            for document in found
        ],
        cursor,
    )


def _visible(principal: Principal, record: AuditRecord) -> AuditRecord:
    """Return the record without paths that the caller may not audit."""
    if policy.has_whole_log(principal):
        return record
    return replace(record, path=_own(principal, record.path), new_path=_own(principal, record.new_path))


def _own(principal: Principal, path: str | None) -> str | None:
    return path if path is not None and policy.has_scope(principal, Action.AUDIT_PATHS, path) else None


def _in_utc(name: str, moment: datetime | None) -> datetime | None:
    try:
        return None if moment is None else moment.astimezone(UTC)
    except OverflowError:
        raise InvalidFields({name: ["not within the years 1 to 9999 in UTC"]}) from None


def _cursor(before: datetime) -> str:
    position = ((before - _EPOCH) // _MILLISECOND).to_bytes(8, signed=True)
    return base64.urlsafe_b64encode(_FORMAT + position).decode().rstrip("=")


def _position(cursor: str) -> datetime:
    try:
        decoded = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        if decoded.startswith(_FORMAT) and len(decoded) == len(_FORMAT) + 8:
            return _EPOCH + int.from_bytes(decoded.removeprefix(_FORMAT), signed=True) * _MILLISECOND
    except (ValueError, OverflowError):
        pass
    raise InvalidFields(
        {"cursor": ["invalid cursor: pass the `cursor` of the previous page, or omit it to start over"]}
    )
