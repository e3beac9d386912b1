"""The life of a token.  No token can be given more than its maker holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from ..access import policy, token_format
from ..audit.recorder import Entry
from ..crypto import tags
from ..crypto.keyring import KeyRing
from ..errors import Forbidden, TokenNotFound, TokenRevoked
from ..keys.canary import KeyRingCheck
from ..models import Action, Principal, Scope, StoredToken, Token, now
from ..store.tokens import TokenStore
from . import attenuation
from .attenuation import TokenRequest

PAGE = 100


@dataclass(frozen=True, slots=True)
class TokenServices:
    """What the use cases work with; ``forget`` is told whose token has changed."""

    store: TokenStore
    ring: KeyRing
    key_check: KeyRingCheck
    forget: Callable[[str], None]


def create(
    services: TokenServices, entry: Entry, principal: Principal, request: TokenRequest
) -> tuple[str, Token]:
    """Make a token; return it, the only time that anybody sees it, and what it may do.

    Raises:
        Forbidden: the caller may make none, or none like this.
        InvalidFields: the wish contradicts itself.
        KeyRingMismatch: the key ring does not fit the data.
        TokenRevoked: the caller's own token was, a moment ago.
        StoreUnavailable: the token may have been kept, but nobody has it.
    """
    policy.require(principal, Action.TOKEN)
    attenuation.validate(request)
    made_at = now()
    credential = token_format.new()
    token = Token(
        token_id=credential.token_id,
        name=request.name,
        scopes=request.scopes,
        created_at=made_at,
        created_by=principal.actor,
        expires_at=made_at + timedelta(seconds=request.expires_in) if request.expires_in else None,
        lifetime=request.expires_in if request.renewable else None,
        max_uses=request.max_uses,
        networks=request.networks,
        rate_limit=request.rate_limit,
    )
    attenuation.require_subset(principal, token)
    services.key_check.require()
    entry.token_id = token.token_id
    services.store.insert(tags.sign_token(token, credential.digest, services.ring))
    _require_alive_maker(services, principal, token)
    return credential.text, token


def describe(services: TokenServices, entry: Entry, principal: Principal, token_id: str) -> Token:
    """Return what a token may do.

    Raises:
        TokenNotFound: there is none, or the caller has nothing to do with it.
        StoreUnavailable: the database did not answer.
    """
    return _find(services, entry, principal, token_id).token


def list_(services: TokenServices, principal: Principal, after: str) -> Sequence[Token]:
    """Return up to ``PAGE`` tokens behind the id ``after``: all for administrators, else one's own.

    Raises:
        Forbidden: the caller may make none.
        StoreUnavailable: the database did not answer.
    """
    policy.require(principal, Action.TOKEN)
    maker = None if policy.is_admin(principal) else principal.actor
    return [stored.token for stored in services.store.page(maker, after, PAGE)]


def renew(services: TokenServices, entry: Entry, principal: Principal, token_id: str) -> Token:
    """Give a renewable token its lifetime anew, from now on.

    Raises:
        TokenNotFound: there is none, the caller has nothing to do with it, or it was revoked.
        Forbidden: it is not renewable, or its time is over.
        KeyRingMismatch: the key ring does not fit the data.
        StoreUnavailable: it may or may not have been renewed.
    """
    stored = _find(services, entry, principal, token_id)
    token, present = stored.token, now()
    if token.lifetime is None or token.expires_at is None:
        raise Forbidden("this token is not renewable")
    if token.expires_at <= present:
        raise Forbidden("this token has expired, and no renewal brings it back: make another")
    # Its tag is made anew, and nothing comes under a key that the database has not met.
    services.key_check.require()
    renewed = replace(token, expires_at=present + timedelta(seconds=token.lifetime))
    if not services.store.renew(tags.sign_token(renewed, stored.digest, services.ring)):
        raise TokenNotFound
    services.forget(token_id)
    return renewed


def revoke(
    services: TokenServices, entry: Entry, principal: Principal, token_id: str, *, descendants: bool
) -> Sequence[str]:
    """End a token and, where asked, every one that was made with it, directly or not; return their ids.

    Raises:
        TokenNotFound: there is none, or the caller has nothing to do with it.
        StoreUnavailable: some may have been ended; do it again.
    """
    _find(services, entry, principal, token_id)
    ended = [token_id]
    for one in ended:
        # First the maker and then what it made: whoever makes one meanwhile looks in the other order
        # (_require_alive_maker), so that none slips through between the two.
        services.store.revoke([one], now())
        services.forget(one)
        if descendants:
            ended += [made for made in services.store.made_with(one) if made not in ended]
    return ended


def _require_alive_maker(services: TokenServices, principal: Principal, token: Token) -> None:
    """Return where the maker of this new token is not revoked; take the token back where it is.

    A revocation takes seconds to reach every process: enough for whoever stole a token to make
    others with it, which would outlive it.

    Raises:
        TokenRevoked: it is.
    """
    if principal.token is None or services.store.is_alive(principal.actor):
        return
    services.forget(principal.actor)
    services.store.revoke([token.token_id], now())
    raise TokenRevoked


def _find(services: TokenServices, entry: Entry, principal: Principal, token_id: str) -> StoredToken:
    """Return a token that the caller may know of: its own, one that it made, any for administrators.

    What is no id goes into no record: it could be a whole token.
    """
    if not token_format.is_id(token_id):
        raise TokenNotFound
    entry.token_id = token_id
    stored = services.store.find(token_id)
    if stored is None:
        raise TokenNotFound
    own = principal.actor == token_id
    made = principal.actor == stored.token.created_by and Scope(Action.TOKEN) in principal.scopes
    if not (own or made or policy.is_admin(principal)):
        raise TokenNotFound
    tags.verify_token(stored, services.ring)
    return stored
