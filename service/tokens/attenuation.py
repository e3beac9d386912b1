"""What a new token may be: nothing that contradicts itself, and nothing that its maker does not hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from ..access import scopes, token_format
from ..errors import Forbidden, InvalidFields
from ..models import Action, Principal, Scope, Token

MAX_SECONDS = 10 * 365 * 86_400
MAX_NAME_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A token as it is asked for; times in seconds, ``rate_limit`` in requests per minute."""

    name: str
    scopes: tuple[Scope, ...]
    expires_in: int | None = None
    renewable: bool = False
    max_uses: int | None = None
    networks: tuple[str, ...] = ()
    rate_limit: int | None = None


def validate(request: TokenRequest) -> None:
    """Return where the wish can be kept and does not contradict itself.

    Raises:
        InvalidFields: it cannot, or does.
    """
    if not (
        0 < len(request.name) <= MAX_NAME_CHARACTERS and request.name.isprintable()
    ) or token_format.is_within(request.name):
        raise InvalidFields(
            {"name": [f"up to {MAX_NAME_CHARACTERS} printable characters, and no token in them"]}
        )
    if request.expires_in is not None and request.expires_in > MAX_SECONDS:
        raise InvalidFields({"expires_in": [f"up to {MAX_SECONDS} seconds"]})
    if request.renewable and request.expires_in is None:
        raise InvalidFields({"renewable": ["give expires_in too: it is what each renewal gives"]})
    makes_tokens = {Action.TOKEN, Action.ADMIN} & {scope.action for scope in request.scopes}
    if request.max_uses is not None and makes_tokens:
        # One use would be enough to make a token without that limit.
        raise InvalidFields({"max_uses": ["a token that can make tokens cannot be limited in uses"]})


def require_subset(principal: Principal, token: Token) -> None:
    """Return where ``token`` is held by what its maker holds.

    Raises:
        Forbidden: it would be more; the message says in what.
    """
    missing = [str(scope) for scope in token.scopes if not scopes.implies(principal.scopes, scope)]
    if missing:
        raise Forbidden(f"a token can only give what it holds; yours does not hold {', '.join(missing)}")
    maker = principal.token
    if maker is None:
        return
    if maker.expires_at is not None:
        if token.expires_at is None or token.expires_at > maker.expires_at:
            end = maker.expires_at.isoformat()
            raise Forbidden(f"your token ends at {end}: give an expires_in within that")
        if token.lifetime is not None:
            # It could be renewed beyond the end of its maker, and of any revocation that follows from it.
            raise Forbidden("your token ends, so it can make no renewable one")
    if maker.networks and not (token.networks and _are_within(token.networks, maker.networks)):
        raise Forbidden(f"your token is for {', '.join(maker.networks)}: give networks within those")
    if maker.rate_limit is not None and not (token.rate_limit and token.rate_limit <= maker.rate_limit):
        raise Forbidden(f"your token may call {maker.rate_limit} times per minute: give no higher rate_limit")


def _are_within(inner: Sequence[str], outer: Sequence[str]) -> bool:
    return all(any(_is_within(ip_network(one), ip_network(other)) for other in outer) for one in inner)


def _is_within(one: IPv4Network | IPv6Network, other: IPv4Network | IPv6Network) -> bool:
    if isinstance(one, IPv4Network) and isinstance(other, IPv4Network):
        return one.subnet_of(other)
    return isinstance(one, IPv6Network) and isinstance(other, IPv6Network) and one.subnet_of(other)
