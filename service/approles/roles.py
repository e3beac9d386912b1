"""Creates, describes, lists and deletes AppRoles.

A role belongs to the token that created it, and grants no more than that token holds.  Every function raises
StoreUnavailable if the database does not answer in time.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

from ..access import policy, token_format
from ..audit.recorder import Entry
from ..crypto import tags
from ..errors import CannotDecrypt, Forbidden, RoleNameTaken, RoleNotFound, Tampered, TokenRevoked
from ..models import Action, AppRole, Principal, StoredAppRole, Token, now
from ..tokens import attenuation, tokens
from . import rules
from .rules import RoleRequest
from .services import AppRoleServices

PAGE = 100


def create(services: AppRoleServices, entry: Entry, principal: Principal, request: RoleRequest) -> AppRole:
    """Create a role.

    Raises:
        Forbidden: the caller may not create tokens, or none like those of this role.
        ConfirmationRequired: the caller is a session, in which the token was not shown for some time.
        InvalidFields: the request is invalid or contradicts itself.
        RoleNameTaken: another role has its name.
        KeyRingMismatch: the key ring does not fit the data.
        TokenRevoked: the caller's own token, or one that it descends from, was revoked a moment ago.
        StoreUnavailable: it may or may not have been stored.
    """
    policy.require(principal, Action.TOKEN)
    policy.require_confirmed(principal)
    rules.validate(request)
    role = _new(services, principal, request)
    _require_subset(principal, role)
    services.tokens.key_check.require()
    entry.role_id = role.role_id
    stored = tags.sign_role(role, services.tokens.ring)
    try:
        services.roles.insert(stored)
    except RoleNameTaken:
        # The name of an expired role is free, even if MongoDB has not removed it yet.
        if not _end_expired(services, principal, role.name):
            raise
        services.roles.insert(stored)
    if not tokens.has_live_makers(services.tokens, principal, role.makers):
        services.roles.remove(role.role_id)
        raise TokenRevoked
    return role


def describe(services: AppRoleServices, entry: Entry, principal: Principal, role: str) -> AppRole:
    """Return a role, named by its name or its id; one that was deleted for some time by its id.

    Raises:
        RoleNotFound: there is no such role, or the caller may not know of it.
        Tampered, UnknownKey: its record does not authenticate.
    """
    return find(services, entry, principal, role).role


@dataclass(frozen=True, slots=True)
class RolePage:
    """Roles, ordered by id; ``altered`` are the ids of those whose record does not authenticate.

    More may follow ``last``, unless it is None.
    """

    roles: list[AppRole]
    altered: list[str]
    last: str | None


def list_(services: AppRoleServices, principal: Principal, after: str) -> RolePage:
    """Return up to ``PAGE`` roles whose ids follow ``after``, without deleted ones.

    Administrators see all roles, others those that they created.

    Raises:
        Forbidden: the caller may not create tokens.
    """
    policy.require(principal, Action.TOKEN)
    found = services.roles.page(None if policy.is_admin(principal) else principal.actor, after, PAGE)
    roles, altered = [], []
    for role_id, stored in found:
        try:
            roles.append(_verified(services, stored).role)
        except CannotDecrypt:
            altered.append(role_id)
    return RolePage(roles, altered, found[-1][0] if len(found) == PAGE else None)


def delete(services: AppRoleServices, entry: Entry, principal: Principal, role: str) -> str:
    """Delete a role, and revoke all tokens of its logins; return its id.  Once more does no harm.

    Nothing is left of one that does not authenticate.

    Raises:
        RoleNotFound: there is no such role, or the caller may not know of it.
        KeyRingMismatch: the key ring does not fit the data.
        StoreUnavailable: it may or may not have been deleted; delete it again, by its id.
    """
    services.tokens.key_check.require()
    role_id = None
    while role_id is None:
        role_id = _try_to_delete(services, entry, principal, role)
    # Whoever logs in meanwhile looks at the role once more after its token is stored.
    services.secret_ids.expire_with_role(role_id, now())
    tokens.revoke_made_with(services.tokens, principal, role_id)
    return role_id


def find(services: AppRoleServices, entry: Entry, principal: Principal, role: str) -> StoredAppRole:
    """Return a role that the caller may know of: one that it created, or any for administrators.

    Raises:
        RoleNotFound: there is no such role, or the caller may not know of it.
        Tampered, UnknownKey: its record does not authenticate.
    """
    return _verified(services, _find(services, entry, principal, role)[1])


def _new(services: AppRoleServices, principal: Principal, request: RoleRequest) -> AppRole:
    at = now()
    ends = request.expires_in is not None
    return AppRole(
        role_id=secrets.token_hex(8),
        name=request.name,
        scopes=request.scopes,
        created_at=at,
        created_by=principal.actor,
        lifetime=request.lifetime,
        renewable=not ends if request.renewable is None else request.renewable,
        max_uses=request.max_uses,
        networks=request.networks,
        rate_limit=request.rate_limit,
        expires_at=at + timedelta(seconds=request.expires_in) if request.expires_in is not None else None,
        makers=tokens.line(services.tokens, principal.token),
        shared_limits=tokens.shared_limits(principal.token),
    )


def _require_subset(principal: Principal, role: AppRole) -> None:
    """Check that the role's tokens grant no more than the caller holds, and end no later.

    Raises:
        Forbidden: they do; the message says what.
    """
    own_end = principal.token.expires_at if principal.token else None
    if own_end is not None and (role.expires_at is None or role.expires_at > own_end):
        raise Forbidden(
            f"your token expires at {own_end.isoformat()}: give a role_expires_in that ends no later"
        )
    attenuation.require_subset(
        principal,
        Token(
            token_id=role.role_id,
            name=role.name,
            scopes=role.scopes,
            created_at=role.created_at,
            created_by=role.actor,
            expires_at=role.expires_at,
            networks=role.networks,
            rate_limit=role.rate_limit,
        ),
    )


def _end_expired(services: AppRoleServices, principal: Principal, name: str) -> bool:
    """Free the name of a role that has expired; return False if it has not."""
    found = services.roles.find_named(name)
    if found is None:
        return True
    stored = _verified(services, found)
    if stored.role.expires_at is None or stored.role.expires_at > now():
        return False
    return services.roles.swap(stored, _deleted(services, stored, principal))


def _try_to_delete(services: AppRoleServices, entry: Entry, principal: Principal, role: str) -> str | None:
    """Delete a role and return its id, or None if it has changed since it was read."""
    role_id, found = _find(services, entry, principal, role)
    try:
        stored = _verified(services, found)
    except CannotDecrypt:
        services.roles.remove(role_id)
        return role_id
    if stored.role.deleted_at is not None:
        return role_id
    return role_id if services.roles.swap(stored, _deleted(services, stored, principal)) else None


def _deleted(services: AppRoleServices, stored: StoredAppRole, principal: Principal) -> StoredAppRole:
    deleted = replace(stored.role, deleted_at=now(), deleted_by=principal.actor)
    return tags.sign_role(deleted, services.tokens.ring)


def _find(
    services: AppRoleServices, entry: Entry, principal: Principal, role: str
) -> tuple[str, StoredAppRole | Tampered]:
    """Return the id of a role that the caller may know of, and the role; only administrators, an altered one.

    A malformed id is not recorded in the audit entry: it could be anything.
    """
    policy.require(principal, Action.TOKEN)
    found: StoredAppRole | Tampered | None
    if token_format.is_id(role):
        entry.role_id = role
        found = services.roles.find(role)
    else:
        found = services.roles.find_named(role) if rules.is_name(role) else None
    if isinstance(found, StoredAppRole):
        is_creator = principal.actor == found.role.created_by
        role_id: str | None = found.role.role_id
    else:
        is_creator, role_id = False, entry.role_id
    if found is None or role_id is None or not (is_creator or policy.is_admin(principal)):
        raise RoleNotFound
    entry.role_id = role_id
    return role_id, found


def _verified(services: AppRoleServices, found: StoredAppRole | Tampered) -> StoredAppRole:
    if isinstance(found, Tampered):
        raise found
    tags.verify_role(found, services.tokens.ring)
    return found
