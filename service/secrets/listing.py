"""Lists secrets page by page, within what the caller may list and nowhere else."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..access import paths, policy
from ..audit.recorder import Entry
from ..errors import InvalidFields
from ..models import AccessFilter, Action, Principal
from ..records import Secret
from ..store.secret_listing import ListFilter, Range, SecretPage
from .services import SecretServices

MAX_PAGE = 1000

# The first byte of a cursor; a cursor of another form gets another one.
_FORM = b"\x01"
# The character behind the slash: what is below `a/b/` sorts before `a/b0`.
_AFTER_SLASH = "0"
# Paths are ASCII, and no character of theirs is as high.
_LAST = "\x7f"


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What to list: paths that begin with ``prefix``, or secrets with no path where ``unnamed``.

    Of what is not ``recursive``, one level is shown: what has a slash behind the prefix is a folder.
    """

    prefix: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    recursive: bool = True
    deleted: bool = False
    unnamed: bool = False
    cursor: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Listing:
    """A page; ``cursor`` is None where it is the last one."""

    secrets: list[Secret]
    folders: list[str]
    cursor: str | None


def list_(services: SecretServices, entry: Entry, principal: Principal, query: ListQuery) -> Listing:
    """Return a page of secrets, without their values.

    What is created or goes meanwhile moves no other to another page.

    Raises:
        Forbidden: the caller may list nothing.
        InvalidFields: the prefix is none, or the cursor.
        StoreUnavailable: the database did not answer.
    """
    policy.require(principal, Action.LIST)
    if query.prefix:
        _require_prefix(query.prefix)
        entry.path = query.prefix
    start = "" if query.cursor is None else _position(query.cursor)
    wanted = ListFilter(query.deleted, query.labels, services.clock())
    if query.unnamed:
        owner = None if policy.is_admin(principal) else principal.actor
        return _listing(services.listing.by_id(wanted, owner, start, query.limit))
    ranges = _from(start, _ranges(policy.access_filter(principal, Action.LIST), query.prefix))
    if query.recursive:
        return _listing(services.listing.by_path(wanted, ranges, query.limit))
    return _level(services, wanted, ranges, query)


def below(folder: str) -> Range:
    """Return the paths below a folder, which ends with its slash; below the empty one is every path."""
    return (folder, _end(folder))


def successor(text: str) -> str:
    """Return what sorts next after ``text``."""
    return text + "\0"


def _listing(page: SecretPage) -> Listing:
    return Listing(page.secrets, [], None if page.last is None else _cursor(successor(page.last)))


def _level(
    services: SecretServices, wanted: ListFilter, ranges: Sequence[Range], query: ListQuery
) -> Listing:
    """Return a page of one level: whatever a folder holds is skipped, and not read."""
    secrets: list[Secret] = []
    folders: list[str] = []
    ahead = 1
    while (left := query.limit - len(secrets) - len(folders)) > 0:
        page = services.listing.by_path(wanted, ranges, min(ahead, left))
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
                return Listing(secrets, folders, None)
            start = successor(page.last)
            # What follows a name is likely a name: look farther ahead, until there is a folder.
            ahead *= 2
        ranges = _from(start, ranges)
    return Listing(secrets, folders, _cursor(start))


def _ranges(access: AccessFilter, prefix: str) -> list[Range]:
    """Return the paths that are within reach and begin with ``prefix``, as disjoint ranges in order."""
    folders = ("",) if access.everything else access.folders
    accessible = [(path, successor(path)) for path in access.paths]
    accessible += [(folder, _end(folder)) for folder in folders]
    ranges: list[Range] = []
    for first, end in sorted((max(first, prefix), min(end, _end(prefix))) for first, end in accessible):
        if ranges and first < ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], max(end, ranges[-1][1]))
        elif first < end:
            ranges.append((first, end))
    return ranges


def _from(start: str, ranges: Iterable[Range]) -> list[Range]:
    return [(max(first, start), end) for first, end in ranges if start < end]


def _end(prefix: str) -> str:
    """Return what sorts next after everything that begins with ``prefix``."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1) if prefix else _LAST


def _cursor(position: str) -> str:
    return base64.urlsafe_b64encode(_FORM + position.encode()).decode().rstrip("=")


def _position(cursor: str) -> str:
    try:
        decoded = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        if decoded.startswith(_FORM):
            return decoded.removeprefix(_FORM).decode("ascii")
    except ValueError:
        pass
    raise InvalidFields({"cursor": ["this is none of an answer before: leave it out to begin anew"]})


def _require_prefix(prefix: str) -> None:
    if not paths.is_path(prefix.removesuffix("/")):
        raise InvalidFields({"prefix": [f"a path, or one with a slash behind it: {paths.RULE}"]})
