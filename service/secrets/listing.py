"""Lists secrets page by page; the caller sees only what their scopes allow."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache

from ..access import paths, policy
from ..audit.recorder import Entry
from ..crypto import tags
from ..crypto.keyring import KeyRing
from ..crypto.tags import AcceptsEarlier
from ..errors import CannotDecrypt, InvalidFields
from ..models import AccessFilter, Action, Principal
from ..records import Secret, State
from ..store.secret_listing import AlteredSecret, ListFilter, Range, SecretPage
from . import state
from .services import SecretServices

MAX_PAGE = 1000
MAX_WORDS, MAX_MATCH_CHARACTERS = 8, 256

# The first byte of a cursor; a new cursor format needs a new one.
_CURSOR_FORMAT = b"\x01"
# The character after the slash: everything below `a/b/` sorts before `a/b0`.
_AFTER_SLASH = "0"


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What to list: paths that begin with ``prefix``, or, if ``unnamed``, secrets without a path.

    If not ``recursive``, only one level is listed: paths with a slash after the prefix become folders.  Each
    word of ``match`` is in the path or in a label; what has no end does not end ``ends_before`` any time.
    """

    prefix: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    recursive: bool = True
    deleted: bool = False
    unnamed: bool = False
    match: str = ""
    ends_before: datetime | None = None
    cursor: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Listing:
    """A page; ``cursor`` is None on the last one.

    ``altered`` names secrets whose record does not authenticate, by their paths or else their ids.
    """

    secrets: list[Secret]
    folders: list[str]
    altered: list[str]
    cursor: str | None


def list_(services: SecretServices, entry: Entry, principal: Principal, query: ListQuery) -> Listing:
    """Return a page of secrets, without their values.

    Secrets created or removed between two pages do not shift the others.

    Raises:
        Forbidden: the caller may list nothing.
        InvalidFields: the prefix, the cursor or the time is invalid, or there are too many words.
        StoreUnavailable: the database did not answer in time.
    """
    policy.require(principal, Action.LIST)
    if query.prefix:
        _require_prefix(query.prefix)
        entry.path = query.prefix
    start = "" if query.cursor is None else _position(query.cursor)
    filter_ = ListFilter(
        query.deleted, query.labels, services.clock(), _words(query.match), _in_utc(query.ends_before)
    )
    if query.unnamed:
        owner = None if policy.is_admin(principal) else principal.actor
        return _listing(services, services.listing.by_id(filter_, owner, start, query.limit))
    ranges = _from(start, _ranges(policy.access_filter(principal, Action.LIST), query.prefix))
    if query.recursive:
        return _listing(services, services.listing.by_path(filter_, ranges, query.limit))
    return _list_level(services, filter_, ranges, query)


def below(folder: str) -> Range:
    """Return the range of paths below a folder, given with its slash; the empty string stands for all."""
    return (folder, paths.end_of(folder))


def successor(text: str) -> str:
    """Return the string that sorts directly after ``text``."""
    return text + "\0"


def _listing(services: SecretServices, page: SecretPage) -> Listing:
    cursor = None if page.last is None else _cursor(successor(page.last))
    return _sorted_out(services, page.secrets, [], cursor)


def _sorted_out(
    services: SecretServices,
    found: Sequence[Secret | AlteredSecret],
    folders: list[str],
    cursor: str | None,
) -> Listing:
    secrets, altered = [], []
    # Asked at most once for a page, and only if it has a record of an earlier version.
    accepts_earlier = cache(services.key_check.accepts_earlier)
    at = services.clock()
    for each in found:
        if isinstance(each, AlteredSecret) or not _is_authentic(each, services.ring, accepts_earlier):
            altered.append(each.path or each.secret_id)
        elif state.of(each, at) is not State.EXPIRED:
            secrets.append(each)
    return Listing(secrets, folders, altered, cursor)


def _is_authentic(secret: Secret, ring: KeyRing, accepts_earlier: AcceptsEarlier) -> bool:
    try:
        tags.verify_secret(secret, ring, accepts_earlier)
    except CannotDecrypt:
        return False
    return True


def _list_level(
    services: SecretServices, filter_: ListFilter, ranges: Sequence[Range], query: ListQuery
) -> Listing:
    """Return a page of one level; the contents of folders are skipped, not read."""
    secrets: list[Secret | AlteredSecret] = []
    folders: list[str] = []
    ahead = 1
    while (left := query.limit - len(secrets) - len(folders)) > 0:
        page = services.listing.by_path(filter_, ranges, min(ahead, left))
        for secret in page.secrets:
            name, slash, _ = (secret.path or "").removeprefix(query.prefix).partition("/")
            if slash:
                folders.append(query.prefix + name + slash)
                start = query.prefix + name + _AFTER_SLASH
                ahead = 1
                break
            secrets.append(secret)
        else:
            if page.last is None:
                return _sorted_out(services, secrets, folders, None)
            start = successor(page.last)
            # A path is likely followed by more paths: read more at once, until a folder appears.
            ahead *= 2
        ranges = _from(start, ranges)
    return _sorted_out(services, secrets, folders, _cursor(start))


def _ranges(access: AccessFilter, prefix: str) -> list[Range]:
    """Return the accessible paths that begin with ``prefix``, as sorted, disjoint ranges."""
    folders = ("",) if access.everything else access.folders
    accessible = [(path, successor(path)) for path in access.paths]
    accessible += [(folder, paths.end_of(folder)) for folder in folders]
    ranges: list[Range] = []
    for first, end in sorted(
        (max(first, prefix), min(end, paths.end_of(prefix))) for first, end in accessible
    ):
        if ranges and first < ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], max(end, ranges[-1][1]))
        elif first < end:
            ranges.append((first, end))
    return ranges


def _from(start: str, ranges: Iterable[Range]) -> list[Range]:
    return [(max(first, start), end) for first, end in ranges if start < end]


def _cursor(position: str) -> str:
    return base64.urlsafe_b64encode(_CURSOR_FORMAT + position.encode()).decode().rstrip("=")


def _position(cursor: str) -> str:
    try:
        decoded = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        if decoded.startswith(_CURSOR_FORMAT):
            return decoded.removeprefix(_CURSOR_FORMAT).decode("ascii")
    except ValueError:
        pass
    raise InvalidFields(
        {"cursor": ["invalid cursor: pass the `cursor` of the previous page, or omit it to start over"]}
    )


def _in_utc(moment: datetime | None) -> datetime | None:
    try:
        return None if moment is None else moment.astimezone(UTC)
    except OverflowError:
        raise InvalidFields({"ends_before": ["not within the years 1 to 9999 in UTC"]}) from None


def _words(match: str) -> list[str]:
    words = list(dict.fromkeys(match.split()))
    if len(words) > MAX_WORDS:
        raise InvalidFields({"match": [f"at most {MAX_WORDS} words"]})
    return words


def _require_prefix(prefix: str) -> None:
    if not paths.is_path(prefix.removesuffix("/")):
        raise InvalidFields({"prefix": [f"must be a path, with or without a trailing slash; {paths.RULE}"]})
