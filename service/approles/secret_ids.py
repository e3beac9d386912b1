"""Creates, lists and revokes the secret ids of AppRoles.

Whoever may administer a role may do so with its secret ids.  Every function raises StoreUnavailable if the
database does not answer in time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..access import policy, token_format
from ..access.token_format import Credential
from ..audit.recorder import Entry
from ..crypto import tags
from ..errors import CannotDecrypt, RoleNotFound, SecretIdNotFound, TokenRevoked
from ..models import Action, AppRole, Principal, Scope, SecretId, StoredSecretId, Token, now
from ..secrets.create import CreateSecret, create_secret
from ..secrets.options import SecretOptions
from ..tokens import attenuation, tokens
from ..tokens.attenuation import TokenRequest
from . import roles, rules
from .rules import SecretIdRequest
from .services import AppRoleServices

PAGE = 100


@dataclass(frozen=True, slots=True)
class Wrapped:
    """How to get a secret id that was not shown: fetch this secret with this token, once, until its end."""

    token: str
    secret_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CreatedSecretId:
    """A new secret id, which cannot be shown again; ``text`` is None if it was wrapped."""

    secret_id: SecretId
    role: AppRole
    text: str | None
    wrapped: Wrapped | None


def create(
    services: AppRoleServices, entry: Entry, principal: Principal, role: str, request: SecretIdRequest
) -> CreatedSecretId:
    """Create a secret id for a role, named by its name or its id.

    Raises:
        RoleNotFound: there is no such role, or the caller may not know of it.
        Forbidden: the role's tokens would have more rights than the caller.
        ConfirmationRequired: the caller is a session, in which the token was not shown for some time.
        InvalidFields: the request is invalid.
        KeyRingMismatch: the key ring does not fit the data.
        TokenRevoked: the caller's own token, or one that it descends from, was revoked a moment ago.
        StoreUnavailable: it may have been stored, but its text is lost.
    """
    policy.require_confirmed(principal)
    rules.validate_secret_id(request)
    found = roles.find(services, entry, principal, role).role
    if found.deleted_at is not None:
        raise RoleNotFound
    _require_subset(principal, found)
    at = now()
    creator = principal.token
    makers_end = creator.expires_at if creator else None
    credential = token_format.new(token_format.SECRET_ID)
    secret_id = SecretId(
        accessor=credential.token_id,
        role_id=found.role_id,
        created_at=at,
        created_by=principal.actor,
        expires_at=min(
            (end for end in (_after(at, request.expires_in), makers_end) if end is not None), default=None
        ),
        max_uses=request.max_uses,
        networks=request.networks,
        makers=tokens.line(services.tokens, creator),
        shared_limits=tokens.shared_limits(creator),
        makers_end=makers_end,
    )
    tokens.require_few(makers(found, secret_id)[:-1])
    services.tokens.key_check.require()
    entry.accessor = secret_id.accessor
    wrapped = None
    if request.wrap_seconds is not None:
        wrapped = _wrap(services, entry, principal, credential, request.wrap_seconds)
    services.secret_ids.insert(tags.sign_secret_id(secret_id, credential.digest, services.tokens.ring))
    if not tokens.has_live_makers(services.tokens, principal, secret_id.makers):
        services.secret_ids.remove(secret_id.accessor)
        raise TokenRevoked
    return CreatedSecretId(secret_id, found, None if wrapped else credential.text, wrapped)


def makers(role: AppRole, secret_id: SecretId) -> tuple[str, ...]:
    """Return the ids of all that a token descends from that is given for this secret id."""
    return (*dict.fromkeys((*role.makers, *secret_id.makers)), role.role_id, secret_id.accessor)


@dataclass(frozen=True, slots=True)
class SecretIdPage:
    """Secret ids, ordered by accessor; ``altered`` are the accessors of those that do not authenticate.

    More may follow ``last``, unless it is None.
    """

    secret_ids: list[SecretId]
    altered: list[str]
    last: str | None


def list_(
    services: AppRoleServices, entry: Entry, principal: Principal, role: str, after: str
) -> SecretIdPage:
    """Return up to ``PAGE`` secret ids of a role whose accessors follow ``after``; ended ones for some time.

    Raises:
        RoleNotFound: there is no such role, or the caller may not know of it.
    """
    role_id = roles.find(services, entry, principal, role).role.role_id
    found = services.secret_ids.page(role_id, after, PAGE)
    secret_ids, altered = [], []
    for accessor, stored in found:
        try:
            if not isinstance(stored, StoredSecretId):
                raise stored
            tags.verify_secret_id(stored, services.tokens.ring)
            secret_ids.append(stored.secret_id)
        except CannotDecrypt:
            altered.append(accessor)
    return SecretIdPage(secret_ids, altered, found[-1][0] if len(found) == PAGE else None)


def revoke(
    services: AppRoleServices, entry: Entry, principal: Principal, accessor: str, *, keep_tokens: bool
) -> None:
    """Revoke a secret id and, unless ``keep_tokens``, all tokens that it was exchanged for.

    Once more does no harm.  Nothing is left of one that does not authenticate.

    Raises:
        SecretIdNotFound: there is none with this accessor, or the caller may not know of it.
        KeyRingMismatch: the key ring does not fit the data.
        StoreUnavailable: it may or may not have been revoked; revoke it again.
    """
    policy.require(principal, Action.TOKEN)
    services.tokens.key_check.require()
    # What is no accessor is not recorded, because it could be a whole secret id.
    if not token_format.is_id(accessor):
        raise SecretIdNotFound
    entry.accessor = accessor
    while not _try_to_revoke(services, entry, principal, accessor):
        pass
    if not keep_tokens:
        # Whoever logs in meanwhile looks at the secret id once more after its token is stored.
        tokens.revoke_made_with(services.tokens, principal, accessor)


def _try_to_revoke(services: AppRoleServices, entry: Entry, principal: Principal, accessor: str) -> bool:
    """Revoke a secret id, unless it has changed since it was read."""
    try:
        stored = services.secret_ids.find(accessor)
        if stored is None:
            raise SecretIdNotFound
        tags.verify_secret_id(stored, services.tokens.ring)
    except CannotDecrypt:
        if not policy.is_admin(principal):
            raise SecretIdNotFound from None
        services.secret_ids.remove(accessor)
        return True
    try:
        roles.find(services, entry, principal, stored.secret_id.role_id)
    except (RoleNotFound, CannotDecrypt):
        if not policy.is_admin(principal):
            raise SecretIdNotFound from None
    if stored.secret_id.revoked_at is not None:
        return True
    revoked = replace(stored.secret_id, revoked_at=now(), revoked_by=principal.actor)
    return services.secret_ids.swap(stored, tags.sign_secret_id(revoked, stored.digest, services.tokens.ring))


def _require_subset(principal: Principal, role: AppRole) -> None:
    """Check that the role's tokens would grant no more than the caller holds.

    When they end is decided by the login, and its calls count as the caller's too.

    Raises:
        Forbidden: they would; the message says what.
    """
    creator = principal.token
    attenuation.require_subset(
        principal,
        Token(
            token_id=role.role_id,
            name=role.name,
            scopes=role.scopes,
            created_at=role.created_at,
            created_by=role.actor,
            expires_at=creator.expires_at if creator else None,
            networks=role.networks,
            rate_limit=creator.rate_limit if creator else None,
        ),
    )


def _wrap(
    services: AppRoleServices, entry: Entry, principal: Principal, credential: Credential, seconds: int
) -> Wrapped:
    """Keep a secret id as a secret for a single read, by a new token that can do nothing else."""
    creator = principal.token
    token_text, token = tokens.create(
        services.tokens,
        entry,
        principal,
        TokenRequest(
            f"wrapped secret id {credential.token_id}",
            scopes=(),
            expires_in=seconds,
            networks=creator.networks if creator else (),
            rate_limit=creator.rate_limit if creator else None,
        ),
    )
    # A secret without a path belongs to whoever creates it.
    owner = Principal(token.token_id, (Scope(Action.CREATE, "*"),), token)
    secret = create_secret(
        services.secrets,
        entry,
        owner,
        CreateSecret(
            credential.text.encode(),
            options=SecretOptions(max_reads=1, expires_at=timedelta(seconds=seconds)),
        ),
    )
    return Wrapped(token_text, secret.secret_id, token.created_at + timedelta(seconds=seconds))


def _after(at: datetime, seconds: int | None) -> datetime | None:
    return None if seconds is None else at + timedelta(seconds=seconds)
