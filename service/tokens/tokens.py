"""Creates, describes, lists, renews and revokes tokens.

A token never grants more than its creator's token holds (``attenuation``).  Every function raises
StoreUnavailable if the database does not answer in time.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from ..access import policy, token_format
from ..audit.recorder import Entry
from ..crypto import tags
from ..crypto.keyring import KeyRing
from ..errors import CannotDecrypt, Forbidden, InvalidToken, TokenExpired, TokenNotFound, TokenRevoked
from ..keys.canary import KeyRingCheck
from ..models import Action, Principal, Scope, Session, StoredToken, Token, now
from ..store.sessions import SessionStore
from ..store.tokens import TokenStore
from . import attenuation
from .attenuation import TokenRequest

PAGE = 100
MAX_MAKERS = 32
# More than the clocks of two replicas differ by: for the slower one, a token may still be good.
_CLOCK_DIFFERENCE = timedelta(hours=1)
_NO_DIGEST = bytes(32)


@dataclass(frozen=True, slots=True)
class TokenServices:
    """The dependencies; ``forget`` drops a changed token or session, by its id, from this process's cache.

    ``end_roles`` ends the AppRoles and secret ids that descend from these tokens; its second argument is who
    has ended the tokens.
    """

    store: TokenStore
    sessions: SessionStore
    ring: KeyRing
    key_check: KeyRingCheck
    forget: Callable[[str], None]
    end_roles: Callable[[Sequence[str], str], None]


def create(
    services: TokenServices, entry: Entry, principal: Principal, request: TokenRequest
) -> tuple[str, Token]:
    """Create a token; return its text, which is not stored, and its description.

    Raises:
        Forbidden: the caller may not create tokens, or not this one.
        ConfirmationRequired: the caller is a session, in which the token was not shown for some time.
        InvalidFields: the request is invalid or contradicts itself.
        KeyRingMismatch: the key ring does not fit the data.
        TokenRevoked: the caller's own token, or one that it descends from, was revoked a moment ago.
        StoreUnavailable: the token may have been stored, but its text is lost.
    """
    policy.require(principal, Action.TOKEN)
    policy.require_confirmed(principal)
    attenuation.validate(request)
    created_at = now()
    credential = token_format.new()
    token = Token(
        token_id=credential.token_id,
        name=request.name,
        scopes=request.scopes,
        created_at=created_at,
        created_by=principal.actor,
        expires_at=created_at + timedelta(seconds=request.expires_in) if request.expires_in else None,
        lifetime=request.expires_in if request.renewable else None,
        max_uses=request.max_uses,
        networks=request.networks,
        rate_limit=request.rate_limit,
        makers=line(services, principal.token),
        shared_limits=shared_limits(principal.token),
    )
    attenuation.require_subset(principal, token)
    services.key_check.require()
    entry.token_id = token.token_id
    services.store.insert(tags.sign_token(token, credential.digest, services.ring))
    if not has_live_makers(services, principal, token.makers or ()):
        services.store.revoke([token.token_id], now())
        raise TokenRevoked
    return credential.text, token


def describe(services: TokenServices, entry: Entry, principal: Principal, token_id: str) -> Token:
    """Return a token without its text.

    Raises:
        TokenNotFound: there is no such token, or the caller may not know of it.
    """
    return _find(services, entry, principal, token_id).token


def names(services: TokenServices, actors: Iterable[str]) -> dict[str, str]:
    """Return the names of those of these actors that are tokens, by id, without altered ones."""
    ids = sorted({actor for actor in actors if token_format.is_id(actor)})
    found: dict[str, str] = {}
    for token_id, stored in services.store.find_each(ids) if ids else ():
        with suppress(CannotDecrypt):
            if isinstance(stored, StoredToken):
                verify(services, stored)
                found[token_id] = stored.token.name
    return found


def prove(services: TokenServices, entry: Entry, text: str) -> Token:
    """Return the token that this text is, in whatever state it is.

    For calls about another token than the caller's: whoever has its text may do with it what its holder may.
    There may be too many who guess, so it is looked up together with others.

    Raises:
        MalformedToken, InvalidToken: there is no such token.
        Tampered, UnknownKey: its record does not authenticate.
    """
    credential = token_format.parse(text)
    entry.token_id = credential.token_id
    stored = services.store.find_with_others(credential.token_id)
    # Compared even if there is no token, so that an unknown id takes as long as a wrong secret.
    if not hmac.compare_digest(stored.digest if stored else _NO_DIGEST, credential.digest) or not stored:
        raise InvalidToken
    verify(services, stored)
    return stored.token


def holder(token: Token, session: Session | None = None) -> Principal:
    """Return whoever calls with this token, or with a session that acts for it."""
    return Principal(token.token_id, token.scopes, token, session)


def require_in_force(token: Token) -> None:
    """Check that a token has not ended; its uses are not looked at.

    Raises:
        TokenRevoked, TokenExpired: it has.
    """
    if token.revoked_at is not None:
        raise TokenRevoked
    if token.expires_at is not None and token.expires_at <= now():
        raise TokenExpired


@dataclass(frozen=True, slots=True)
class TokenPage:
    """Tokens, ordered by id; ``altered`` are the ids of those whose record does not authenticate.

    More may follow ``last``, unless it is None.
    """

    tokens: list[Token]
    altered: list[str]
    last: str | None


def list_(services: TokenServices, principal: Principal, after: str) -> TokenPage:
    """Return up to ``PAGE`` tokens whose ids follow ``after``.

    Administrators see all tokens, others their own and those created with it.

    Raises:
        Forbidden: the caller may not create tokens.
        StoreUnavailable: the database did not answer in time.
    """
    policy.require(principal, Action.TOKEN)
    creator = None if policy.is_admin(principal) else principal.actor
    found = services.store.page(creator, after, PAGE)
    tokens, altered = [], []
    for token_id, stored in found:
        try:
            if not isinstance(stored, StoredToken):
                raise stored
            verify(services, stored)
            tokens.append(stored.token)
        except CannotDecrypt:
            altered.append(token_id)
    return TokenPage(tokens, altered, found[-1][0] if len(found) == PAGE else None)


def renew(services: TokenServices, entry: Entry, principal: Principal, token_id: str) -> Token:
    """Renew a token: its lifetime starts again now.

    Raises:
        TokenNotFound: there is no such token, the caller may not know of it, or it was revoked.
        Forbidden: it is not renewable, it has expired, or the caller is a session.
        KeyRingMismatch: the key ring does not fit the data.
        StoreUnavailable: it may or may not have been renewed.
    """
    if principal.session is not None:
        raise Forbidden("a session cannot renew tokens: call this with the token itself")
    # The new tag is made under the primary key, which must fit the database.
    services.key_check.require()
    while True:
        stored = _find(services, entry, principal, token_id)
        token, present = stored.token, now()
        if token.revoked_at is not None:
            raise TokenNotFound
        if token.lifetime is None or token.expires_at is None:
            raise Forbidden("this token is not renewable")
        if token.expires_at <= present:
            raise Forbidden("this token has expired and can no longer be renewed: create another")
        renewed = replace(token, expires_at=present + timedelta(seconds=token.lifetime))
        # If it was used in between, its uses are read again.
        if services.store.swap(stored, tags.sign_token(renewed, stored.digest, services.ring)):
            services.forget(token_id)
            return renewed


@dataclass(frozen=True, slots=True)
class Revocation:
    """The ids of the revoked tokens, and how many of them were still valid until now."""

    token_ids: Sequence[str]
    ended: int


def revoke(
    services: TokenServices, entry: Entry, principal: Principal, token_id: str, *, keep_descendants: bool
) -> Revocation:
    """Revoke a token and, unless ``keep_descendants``, all that descend from it, roles included.

    Raises:
        TokenNotFound: there is no such token, or the caller may not know of it.
        StoreUnavailable: some may have been revoked; call it again.
    """
    _find(services, entry, principal, token_id)
    # First this one, then those that descend from it.  A concurrent ``create`` inserts its token, then
    # checks all that it descends from (has_live_makers): in either order, no token is missed.
    ended = services.store.revoke([token_id], now(), keep_descendants=keep_descendants)
    revoked = [token_id]
    if not keep_descendants:
        ended += _revoke_descendants(services, revoked)
    for revoked_id in revoked:
        services.forget(revoked_id)
    _sign_revocations(services, revoked)
    if not keep_descendants:
        services.end_roles(revoked, principal.actor)
    return Revocation(revoked, ended)


def revoke_made_with(services: TokenServices, principal: Principal, ancestor: str) -> None:
    """Revoke all tokens that descend from an AppRole or from a secret id, which has ended already.

    Raises:
        KeyRingMismatch: the key ring does not fit the data.
        StoreUnavailable: some may have been revoked; call it again.
    """
    revoked: list[str] = []
    # Until there are no more: a token may have made another before its own revocation was stored.
    while found := services.store.alive_descendants(ancestor, now() - _CLOCK_DIFFERENCE):
        services.store.revoke(found, now())
        revoked += found
    for revoked_id in revoked:
        services.forget(revoked_id)
    _sign_revocations(services, revoked)
    services.end_roles([ancestor, *revoked], principal.actor)


def _sign_revocations(services: TokenServices, revoked: Sequence[str]) -> None:
    """Give revoked tokens tags that cover the revocation, so that removing it does not bring them back."""
    services.key_check.require()
    changes = []
    for _, stored in services.store.find_each(revoked):
        # One that does not authenticate gets no tag, and nobody can use it.
        with suppress(CannotDecrypt):
            if isinstance(stored, StoredToken):
                verify(services, stored)
                changes.append((stored, tags.sign_token(stored.token, stored.digest, services.ring)))
    if changes:
        services.store.retag(changes)


def _revoke_descendants(services: TokenServices, revoked: list[str]) -> int:
    """Revoke all that descend from these, append their ids, and return how many were still valid."""
    ended = 0
    # Tokens of before know only their creator.
    found = revoked
    while found := [each for each in services.store.created_before_lines(found) if each not in revoked]:
        ended += services.store.revoke(found, now())
        revoked += found
    ended += services.store.revoke_descendants(revoked, now())
    revoked += [each for each in services.store.descendants(revoked) if each not in revoked]
    return ended


def line(services: TokenServices, creator: Token | None) -> tuple[str, ...]:
    """Return the ids of the tokens from which something that ``creator`` creates descends.

    Raises:
        Forbidden: there are too many.
    """
    if creator is None:
        return ()
    makers = creator.makers if creator.makers is not None else _makers_of(services, creator)
    require_few(makers)
    return (*makers, creator.token_id)


def require_few(makers: Sequence[str]) -> None:
    """Check that something else may descend from the last of these.

    Raises:
        Forbidden: there are too many.
    """
    if len(makers) >= MAX_MAKERS:
        raise Forbidden(f"a token descends from at most {MAX_MAKERS} others: create it with an earlier one")


def _makers_of(services: TokenServices, token: Token) -> tuple[str, ...]:
    """Return the line of a token of before lines were kept, as far back as its makers are still stored."""
    makers: list[str] = []
    while (
        token_format.is_id(token.created_by) and token.created_by not in makers and len(makers) < MAX_MAKERS
    ):
        makers.insert(0, token.created_by)
        stored = services.store.find(token.created_by)
        if stored is None:
            break
        verify(services, stored)
        token = stored.token
    return tuple(makers)


def shared_limits(creator: Token | None) -> tuple[tuple[str, int], ...]:
    """Return the rate limits on which something that ``creator`` creates draws as well."""
    if creator is None:
        return ()
    own = () if creator.rate_limit is None else ((creator.token_id, creator.rate_limit),)
    return (*creator.shared_limits, *own)


def has_live_makers(services: TokenServices, principal: Principal, makers: Sequence[str]) -> bool:
    """Return whether nothing is revoked that something new of this caller descends from, nor its session.

    To be asked when that is stored: a revocation takes seconds to reach every process, long enough for a
    thief to create tokens, roles and secret ids with a stolen token, which would stay valid.
    """
    session = principal.session
    if session is not None and not services.sessions.is_alive(session.session_id, now()):
        services.forget(session.session_id)
        return False
    if principal.token is None or (
        services.store.is_alive(principal.actor) and not services.store.any_ended(makers)
    ):
        return True
    services.forget(principal.actor)
    return False


def _find(services: TokenServices, entry: Entry, principal: Principal, token_id: str) -> StoredToken:
    """Return a token that the caller may know of: its own, one it created, or any for administrators.

    A malformed id is not recorded in the audit entry: it could be a whole token.
    """
    if not token_format.is_id(token_id):
        raise TokenNotFound
    entry.token_id = token_id
    stored = services.store.find(token_id)
    if stored is None:
        raise TokenNotFound
    is_own = principal.actor == token_id
    is_creator = principal.actor == stored.token.created_by and Scope(Action.TOKEN) in principal.scopes
    if not (is_own or is_creator or policy.is_admin(principal)):
        raise TokenNotFound
    verify(services, stored)
    return stored


def verify(services: TokenServices, stored: StoredToken) -> None:
    """Check that the service wrote this token.

    Raises:
        Tampered, UnknownKey: it did not, or nobody can tell.
    """
    tags.verify_token(stored, services.ring, services.key_check.accepts_earlier)
