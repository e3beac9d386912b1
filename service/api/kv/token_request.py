"""The bodies with which Vault's clients ask for a token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...access import scopes
from ...errors import InvalidFields
from ...models import Principal, Scope, now
from ...tokens.attenuation import MAX_SECONDS, TokenRequest
from . import body, go

_NAME = "token"
# Everybody has this policy in Vault; administrators have the other one.
_DEFAULT, _ROOT = "default", "root"
_NO_ORPHAN = "the token is no orphan: it ends when the token that made it is revoked"


def parse(
    sent: Mapping[str, Any], principal: Principal, default_seconds: int
) -> tuple[TokenRequest, list[str]]:
    """Return the request, cut down to what the maker may give, and warnings that say what was cut.

    Clients send most members always, with empty values.

    Raises:
        InvalidFields: a member is malformed, or asks for what there is not.
    """
    _refuse_others(sent)
    seconds, renewable, warnings = _lifetime(sent, principal, default_seconds)
    if sent.get("no_parent"):
        warnings.append(_NO_ORPHAN)
    if sent.get("meta"):
        warnings.append("meta is not kept")
    maker = principal.token
    request = TokenRequest(
        name=_name(sent.get("display_name")),
        scopes=_scopes(sent.get("policies"), principal),
        expires_in=seconds,
        renewable=renewable,
        max_uses=_uses(sent.get("num_uses")),
        networks=maker.networks if maker else (),
        rate_limit=maker.rate_limit if maker else None,
    )
    return request, warnings


def _refuse_others(sent: Mapping[str, Any]) -> None:
    match sent.get("type"):
        case None | "" | "default" | "service":
            pass
        case "batch":
            raise InvalidFields({"type": ["there are no batch tokens: leave out type"]})
        case _:
            raise InvalidFields({"type": ["invalid 'token_type' value"]})
    if sent.get("id"):
        raise InvalidFields({"id": ["the text of a token cannot be chosen: leave out id"]})
    if sent.get("entity_alias"):
        raise InvalidFields(
            {"entity_alias": ["'entity_alias' is only allowed in combination with token role"]}
        )


def _lifetime(
    sent: Mapping[str, Any], principal: Principal, default_seconds: int
) -> tuple[int, bool, list[str]]:
    """Return how many seconds the token lives, whether it can be renewed, and warnings."""
    warnings = []
    period, maximum = _seconds(sent, "period"), _seconds(sent, "explicit_max_ttl")
    seconds = period or _seconds(sent, "ttl") or default_seconds
    limits = [MAX_SECONDS]
    if maximum:
        limits.append(maximum)
    makers_end = principal.token.expires_at if principal.token else None
    if makers_end is not None:
        # A second less, because the new token's time begins a moment later.
        limits.append(max(1, int((makers_end - now()).total_seconds()) - 1))
    if seconds > min(limits):
        warnings.append(
            f'TTL of "{go.duration(seconds)}" exceeded the effective max_ttl of "{go.duration(min(limits))}";'
            " TTL value is capped accordingly"
        )
        seconds = min(limits)
    renewable = _flag(sent, "renewable")
    if renewable and makers_end is not None:
        warnings.append("not renewable: the token that made it ends, and a renewal could outlast that")
        renewable = False
    if renewable and maximum:
        warnings.append("not renewable: it has an explicit_max_ttl")
        renewable = False
    return seconds, renewable, warnings


def _scopes(sent: object, principal: Principal) -> tuple[Scope, ...]:
    if not sent:
        return principal.scopes
    names = sent.split(",") if isinstance(sent, str) else sent
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidFields({"policies": ["policies must be a list of scopes"]})
    wanted = [name.strip() for name in names]
    return tuple(
        scopes.ADMIN if name == _ROOT else scopes.parse(name) for name in wanted if name not in ("", _DEFAULT)
    )


def _name(sent: object) -> str:
    if not isinstance(sent, str | None):
        raise InvalidFields({"display_name": ["display_name must be a text"]})
    return f"{_NAME}-{sent}" if sent else _NAME


def _uses(sent: object) -> int | None:
    try:
        uses = 0 if sent in (None, "") else body.integer(sent)
    except ValueError:
        uses = -1
    if uses < 0:
        raise InvalidFields(
            {"num_uses": ["number of uses must be a whole number and cannot be negative; 0 is no limit"]}
        )
    return uses or None


def _seconds(sent: Mapping[str, Any], name: str) -> int:
    value = sent.get(name)
    try:
        seconds = 0 if value in (None, "") else go.parse_duration(value)
    except ValueError:
        seconds = -1
    if seconds < 0:
        raise InvalidFields({name: [f"{name} must be a duration such as 90, 90m or 1h30m"]})
    return seconds


def _flag(sent: Mapping[str, Any], name: str) -> bool:
    match sent.get(name):
        case None | True | "true":
            return True
        case False | "false":
            return False
    raise InvalidFields({name: [f"{name} must be true or false"]})
