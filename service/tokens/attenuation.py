"""Rules for new tokens: the request is consistent, and grants no more than its creator's token holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from ..access import scopes, token_format
from ..errors import Forbidden, InvalidFields
from ..models import Action, Principal, Scope, Token

MAX_SECONDS = 10 * 365 * 86_400
MAX_NAME_CHARACTERS = 100
MAX_SCOPE_CHARACTERS = 8192


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A request for a token; times in seconds, ``rate_limit`` in calls per minute."""

    name: str
    scopes: tuple[Scope, ...]
    expires_in: int | None = None
    renewable: bool = False
    max_uses: int | None = None
    networks: tuple[str, ...] = ()
    rate_limit: int | None = None


def validate(request: TokenRequest) -> None:
    """Check that the request is valid and consistent in itself.

    Raises:
        InvalidFields: it is not.
    """
    if not (
        0 < len(request.name) <= MAX_NAME_CHARACTERS and request.name.isprintable()
    ) or token_format.is_within(request.name):
        raise InvalidFields(
            {"name": [f"must be 1 to {MAX_NAME_CHARACTERS} printable characters that contain no token"]}
        )
    if request.expires_in is not None and request.expires_in > MAX_SECONDS:
        raise InvalidFields({"expires_in": [f"must be at most {MAX_SECONDS} seconds"]})
    if request.renewable and request.expires_in is None:
        raise InvalidFields({"renewable": ["give expires_in too: each renewal lasts that long"]})
    if sum(len(str(scope)) for scope in request.scopes) > MAX_SCOPE_CHARACTERS:
        raise InvalidFields(
            {"scopes": [f"must have at most {MAX_SCOPE_CHARACTERS} characters together: name folders"]}
        )
    creates_tokens = {Action.TOKEN, Action.ADMIN} & {scope.action for scope in request.scopes}
    if request.max_uses is not None and creates_tokens:
        # One use would be enough to create a token without that limit.
        raise InvalidFields({"max_uses": ["not possible for a token with the scope token or admin"]})


def require_subset(principal: Principal, token: Token) -> None:
    """Check that ``token`` grants no more than its creator holds.

    Raises:
        Forbidden: it grants more; the message says what.
    """
    missing = [str(scope) for scope in token.scopes if not scopes.implies(principal.scopes, scope)]
    if missing:
        raise Forbidden(
            f"a token can only grant scopes that it holds; yours does not hold {', '.join(missing)}"
        )
    creator = principal.token
    if creator is None:
        return
    if creator.expires_at is not None:
        if token.expires_at is None or token.expires_at > creator.expires_at:
            end = creator.expires_at.isoformat()
            raise Forbidden(f"your token expires at {end}: give an expires_in that ends no later")
        if token.lifetime is not None:
            # Renewals could extend it past its creator's expiry.
            raise Forbidden("your token expires, so it cannot create a renewable one: omit renewable")
    if creator.networks and not (token.networks and _are_within(token.networks, creator.networks)):
        raise Forbidden(f"your token is limited to {', '.join(creator.networks)}: give networks within those")
    if creator.rate_limit is not None and not (token.rate_limit and token.rate_limit <= creator.rate_limit):
        raise Forbidden(
            f"your token may make {creator.rate_limit} calls per minute: give a rate_limit of at most that"
        )


def _are_within(inner: Sequence[str], outer: Sequence[str]) -> bool:
    return all(any(_is_subnet(ip_network(part), ip_network(whole)) for whole in outer) for part in inner)


def _is_subnet(part: IPv4Network | IPv6Network, whole: IPv4Network | IPv6Network) -> bool:
    if isinstance(part, IPv4Network) and isinstance(whole, IPv4Network):
        return part.subnet_of(whole)
    return isinstance(part, IPv6Network) and isinstance(whole, IPv6Network) and part.subnet_of(whole)
