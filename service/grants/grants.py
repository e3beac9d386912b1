"""Creates, describes, lists and deletes grants; for administrators.

Every function raises StoreUnavailable if the database does not answer in time.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from ..access import policy
from ..audit.recorder import Entry
from ..crypto import tags
from ..crypto.keyring import KeyRing
from ..errors import CannotDecrypt, GrantNotFound, InvalidFields, Tampered
from ..keys.canary import KeyRingCheck
from ..models import Action, Grant, Principal, StoredGrant, now
from ..store.grants import GrantStore
from . import rules
from .rules import GrantRequest

PAGE = 100
# Every process has all of them in memory.
MAX_GRANTS = 1000


@dataclass(frozen=True, slots=True)
class GrantServices:
    """The dependencies; ``forget`` drops the grants that this process has in memory."""

    store: GrantStore
    ring: KeyRing
    key_check: KeyRingCheck
    forget: Callable[[], None]


def create(services: GrantServices, entry: Entry, principal: Principal, request: GrantRequest) -> Grant:
    """Create a grant.

    Raises:
        Forbidden: the caller is not an administrator.
        InvalidFields: the request is invalid, or there are too many grants.
        KeyRingMismatch: the key ring does not fit the data.
        StoreUnavailable: it may or may not have been stored.
    """
    policy.require(principal, Action.ADMIN)
    rules.validate(request)
    services.key_check.require()
    if services.store.count() >= MAX_GRANTS:
        raise InvalidFields({"_schema": [f"there are {MAX_GRANTS} grants: delete some, or use patterns"]})
    grant = Grant(
        grant_id=secrets.token_hex(8),
        services=request.services,
        paths=request.paths,
        created_at=now(),
        created_by=principal.actor,
        nodes=request.nodes,
        images=request.images,
    )
    entry.grant_id = grant.grant_id
    services.store.insert(tags.sign_grant(grant, services.ring))
    services.forget()
    return grant


def describe(services: GrantServices, entry: Entry, principal: Principal, grant_id: str) -> Grant:
    """Return a grant; a deleted one for some time as well.

    Raises:
        Forbidden: the caller is not an administrator.
        GrantNotFound: there is no such grant.
        Tampered, UnknownKey: its record does not authenticate.
    """
    policy.require(principal, Action.ADMIN)
    return _verified(services, _find(services, entry, grant_id)).grant


@dataclass(frozen=True, slots=True)
class GrantPage:
    """Grants, ordered by id; ``altered`` are the ids of those whose record does not authenticate.

    More may follow ``last``, unless it is None.
    """

    grants: list[Grant]
    altered: list[str]
    last: str | None


def list_(services: GrantServices, principal: Principal, after: str) -> GrantPage:
    """Return up to ``PAGE`` grants whose ids follow ``after``, without deleted ones.

    Raises:
        Forbidden: the caller is not an administrator.
    """
    policy.require(principal, Action.ADMIN)
    found = services.store.page(after, PAGE)
    grants, altered = [], []
    for grant_id, stored in found:
        try:
            grants.append(_verified(services, stored).grant)
        except CannotDecrypt:
            altered.append(grant_id)
    return GrantPage(grants, altered, found[-1][0] if len(found) == PAGE else None)


def delete(services: GrantServices, entry: Entry, principal: Principal, grant_id: str) -> None:
    """Delete a grant; once more does no harm.  Nothing is left of one that does not authenticate.

    Raises:
        Forbidden: the caller is not an administrator.
        GrantNotFound: there is no such grant.
        KeyRingMismatch: the key ring does not fit the data.
        StoreUnavailable: it may or may not have been deleted; delete it again.
    """
    policy.require(principal, Action.ADMIN)
    services.key_check.require()
    deleted = False
    while not deleted:
        deleted = _try_to_delete(services, principal, _find(services, entry, grant_id), grant_id)
    services.forget()


def _try_to_delete(
    services: GrantServices, principal: Principal, found: StoredGrant | Tampered, grant_id: str
) -> bool:
    """Delete a grant, unless it has changed since it was read."""
    try:
        stored = _verified(services, found)
    except CannotDecrypt:
        services.store.remove(grant_id)
        return True
    if stored.grant.deleted_at is not None:
        return True
    deleted = replace(stored.grant, deleted_at=now(), deleted_by=principal.actor)
    return services.store.swap(stored, tags.sign_grant(deleted, services.ring))


def _find(services: GrantServices, entry: Entry, grant_id: str) -> StoredGrant | Tampered:
    """Find a grant; what is no id is not recorded, because it could be anything."""
    if not rules.is_id(grant_id):
        raise GrantNotFound
    entry.grant_id = grant_id
    found = services.store.find(grant_id)
    if found is None:
        raise GrantNotFound
    return found


def _verified(services: GrantServices, found: StoredGrant | Tampered) -> StoredGrant:
    if isinstance(found, Tampered):
        raise found
    tags.verify_grant(found, services.ring)
    return found
