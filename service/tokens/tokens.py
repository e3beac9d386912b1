"""The life of a token.  No token can be given more than its maker holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from ..access import policy, token_format
from ..audit.recorder import Entry
from ..crypto.keyring import KeyRing
from ..errors import Forbidden, TokenNotFound, TokenRevoked
from ..keys.canary import KeyProof
from ..models import Action, Principal, Scope, StoredToken, Token, now
from ..store.tokens import TokenStore
from . import attenuation
from .attenuation import Wish
from .authentication import tag_fields

PAGE = 100


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the use cases work with; ``forget`` is told whose token has changed."""

    store: TokenStore
    ring: KeyRing
    proof: KeyProof
    forget: Callable[[str], None]


def create(tokens: Tokens, entry: Entry, principal: Principal, wish: Wish) -> tuple[str, Token]:
    """Make a token; return it, the only time that anybody sees it, and what it may do.

    Raises:
        Forbidden: the caller may make none, or none like this.
        InvalidFields: the wish contradicts itself.
        KeyRingUnproven: the key ring does not fit the data.
        TokenRevoked: the caller's own token was, a moment ago.
        StoreUnavailable: the token may have been kept, but nobody has it.
    """
    policy.require(principal, Action.TOKEN)
    attenuation.require_sense(wish)
    made_at = now()
    credential = token_format.new()
    token = Token(
        token_id=credential.token_id,
        name=wish.name,
        scopes=wish.scopes,
        created_at=made_at,
        created_by=principal.actor,
        expires_at=made_at + timedelta(seconds=wish.expires_in) if wish.expires_in else None,
        lifetime=wish.expires_in if wish.renewable else None,
        max_uses=wish.max_uses,
        networks=wish.networks,
        rate_limit=wish.rate_limit,
    )
    attenuation.require_no_more(principal, token)
    tokens.proof.require()
    entry.token_id = token.token_id
    tokens.store.insert(_tagged(tokens, token, credential.digest))
    _require_alive_maker(tokens, principal, token)
    return credential.text, token


def describe(tokens: Tokens, entry: Entry, principal: Principal, token_id: str) -> Token:
    """Return what a token may do.

    Raises:
        TokenNotFound: there is none, or the caller has nothing to do with it.
        StoreUnavailable: the database did not answer.
    """
    return _find(tokens, entry, principal, token_id).token


def list_(tokens: Tokens, principal: Principal, after: str) -> Sequence[Token]:
    """Return up to ``PAGE`` tokens behind the id ``after``: all for administrators, else one's own.

    Raises:
        Forbidden: the caller may make none.
        StoreUnavailable: the database did not answer.
    """
    policy.require(principal, Action.TOKEN)
    maker = None if policy.is_admin(principal) else principal.actor
    return [stored.token for stored in tokens.store.page(maker, after, PAGE)]


def renew(tokens: Tokens, entry: Entry, principal: Principal, token_id: str) -> Token:
    """Give a renewable token its lifetime anew, from now on.

    Raises:
        TokenNotFound: there is none, the caller has nothing to do with it, or it was revoked.
        Forbidden: it is not renewable, or its time is over.
        KeyRingUnproven: the key ring does not fit the data.
        StoreUnavailable: it may or may not have been renewed.
    """
    stored = _find(tokens, entry, principal, token_id)
    token, present = stored.token, now()
    if token.lifetime is None or token.expires_at is None:
        raise Forbidden("this token is not renewable")
    if token.expires_at <= present:
        raise Forbidden("this token has expired, and no renewal brings it back: make another")
    # Its tag is made anew, and nothing comes under a key that the database has not met.
    tokens.proof.require()
    renewed = replace(token, expires_at=present + timedelta(seconds=token.lifetime))
    if not tokens.store.renew(_tagged(tokens, renewed, stored.digest)):
        raise TokenNotFound
    tokens.forget(token_id)
    return renewed


def revoke(
    tokens: Tokens, entry: Entry, principal: Principal, token_id: str, *, descendants: bool
) -> Sequence[str]:
    """End a token and, where asked, every one that was made with it, directly or not; return their ids.

    Raises:
        TokenNotFound: there is none, or the caller has nothing to do with it.
        StoreUnavailable: some may have been ended; do it again.
    """
    _find(tokens, entry, principal, token_id)
    ended = [token_id]
    for one in ended:
        # First the maker and then what it made: whoever makes one meanwhile looks in the other order
        # (_require_alive_maker), so that none slips through between the two.
        tokens.store.revoke([one], now())
        tokens.forget(one)
        if descendants:
            ended += [made for made in tokens.store.made_with(one) if made not in ended]
    return ended


def _require_alive_maker(tokens: Tokens, principal: Principal, token: Token) -> None:
    """Return where the maker of this new token is not revoked; take the token back where it is.

    A revocation takes seconds to reach every process: enough for whoever stole a token to make
    others with it, which would outlive it.

    Raises:
        TokenRevoked: it is.
    """
    if principal.token is None or tokens.store.is_alive(principal.actor):
        return
    tokens.forget(principal.actor)
    tokens.store.revoke([token.token_id], now())
    raise TokenRevoked


def _find(tokens: Tokens, entry: Entry, principal: Principal, token_id: str) -> StoredToken:
    """Return a token that the caller may know of: its own, one that it made, any for administrators.

    What is no id goes into no record: it could be a whole token.
    """
    if not token_format.is_id(token_id):
        raise TokenNotFound
    entry.token_id = token_id
    stored = tokens.store.find(token_id)
    if stored is None:
        raise TokenNotFound
    own = principal.actor == token_id
    made = principal.actor == stored.token.created_by and Scope(Action.TOKEN) in principal.scopes
    if not (own or made or policy.is_admin(principal)):
        raise TokenNotFound
    tokens.ring.verify(stored.tag, tag_fields(stored.token, stored.digest))
    return stored


def _tagged(tokens: Tokens, token: Token, digest: bytes) -> StoredToken:
    return StoredToken(token, digest, tokens.ring.tag(tag_fields(token, digest)))
