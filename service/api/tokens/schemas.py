"""Bodies of requests and responses about tokens; the OpenAPI document is generated from these."""

from __future__ import annotations

from ipaddress import ip_network

from marshmallow import Schema, ValidationError, fields, validate

from ...models import Scope
from ...tokens.attenuation import MAX_NAME_CHARACTERS, MAX_SECONDS
from ..fields import flag, next_page
from ..sessions.schemas import SessionResponse

_MAX_COUNT = 1_000_000

_TOKEN_ID = {
    "description": "The token's id: the part between `smt_` and the second underscore.",
    "example": "0f3a5b7c9d1e2f40",
}


def network_list(description: str) -> fields.List[str]:
    """Return a field for addresses and networks."""
    return fields.List(
        fields.String(validate=lambda network: _require_network(network)),
        validate=validate.Length(min=1, max=100),
        metadata={"description": description, "example": ["10.0.0.0/8"]},
    )


class TokenRequest(Schema):
    """A token to create; it cannot have more rights than your own."""

    name = fields.String(
        required=True,
        validate=[validate.Length(min=1, max=MAX_NAME_CHARACTERS), lambda name: _require_printable(name)],
        metadata={"description": "Who or what will use the token, for people.", "example": "billing"},
    )
    scopes = fields.List(
        fields.String(),
        required=True,
        validate=validate.Length(min=1, max=100),
        metadata={
            "description": "`action:pattern` (action: create, fetch, list, update, delete or deliver;"
            " pattern: a path, `folder/*` or `*`), `audit:pattern`, or `token`, `share`, `audit` or `admin`.",
            "example": ["fetch:team/app/*"],
        },
    )
    expires_in = fields.Integer(
        strict=True,
        validate=validate.Range(1, MAX_SECONDS),
        metadata={"description": "Seconds until the token expires; default never.", "example": 2_592_000},
    )
    renewable = flag("Whether its holder may renew it for another expires_in seconds.")
    max_uses = fields.Integer(
        strict=True,
        validate=validate.Range(1, _MAX_COUNT),
        metadata={"description": "How many calls the token may make in total."},
    )
    networks = network_list("The addresses and networks from which the token may be used.")
    rate_limit = fields.Integer(
        strict=True,
        validate=validate.Range(1, _MAX_COUNT),
        metadata={"description": "How many calls per minute the token may make, over all replicas."},
    )


class TokenNameRequest(Schema):
    """A token, by its id."""

    token_id = fields.String(required=True, metadata=_TOKEN_ID)


class TokenOwnRequest(Schema):
    """A token, by its id; without a token_id your own."""

    token_id = fields.String(metadata=_TOKEN_ID)


class TokenRevokeRequest(TokenOwnRequest):
    """The token to revoke."""

    descendants = flag(
        "Whether all tokens that were created with it, or with any of those, are revoked too; default true."
    )


class TokenListRequest(Schema):
    """Which page to list."""

    after = fields.String(
        validate=validate.Regexp(r"[0-9a-f]{16}\Z", error="invalid: pass `next` of the previous page"),
        metadata={"description": "`next` of the previous page.", "pattern": "^[0-9a-f]{16}$"},
    )


class TokenResponse(Schema):
    """A token's description; never the token itself."""

    token_id = fields.String(required=True, metadata=_TOKEN_ID)
    name = fields.String(required=True)
    scopes = fields.Function(
        lambda token: _scopes(token.scopes),
        required=True,
        metadata={"type": "array", "items": {"type": "string"}},
    )
    created_at = fields.AwareDateTime(required=True)
    created_by = fields.String(
        required=True,
        metadata={
            "description": "A token's id, `approle:` and the id of a role that has logged in, `operator` (a"
            " command), or `anonymous` (without authentication)."
        },
    )
    expires_at = fields.AwareDateTime(allow_none=True)
    renewable = fields.Function(
        lambda token: token.lifetime is not None, required=True, metadata={"type": "boolean"}
    )
    max_uses = fields.Integer(allow_none=True)
    uses = fields.Integer(required=True, metadata={"description": "Counted only if max_uses is set."})
    networks = fields.List(fields.String(), required=True)
    rate_limit = fields.Integer(allow_none=True)
    revoked_at = fields.AwareDateTime(allow_none=True)


class TokenCreateResponse(TokenResponse):
    """A new token; it cannot be shown again."""

    token = fields.String(
        required=True, metadata={"description": "The token; send it as `Authorization: Bearer <token>`."}
    )


class TokenListResponse(Schema):
    """A page of tokens."""

    tokens = fields.List(fields.Nested(TokenResponse), required=True)
    altered = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "The ids of tokens whose record does not authenticate; they are refused."},
    )
    next = next_page()


class TokenRevokeResponse(Schema):
    """The ids of the revoked tokens."""

    revoked = fields.List(fields.String(), required=True)
    ended = fields.Integer(
        required=True, metadata={"description": "How many of them were not revoked before."}
    )


class LimitsResponse(Schema):
    """Limits of the service."""

    max_secret_bytes = fields.Integer(required=True)
    share_max_seconds = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "How long a share may live; null without them."},
    )


class WhoAmIResponse(Schema):
    """The authenticated caller."""

    actor = fields.String(required=True, metadata={"description": "Your name in the audit log."})
    scopes = fields.Function(
        lambda found: _scopes(found["scopes"]),
        required=True,
        metadata={"type": "array", "items": {"type": "string"}},
    )
    token = fields.Nested(TokenResponse, required=True, allow_none=True)
    session = fields.Nested(
        SessionResponse,
        required=True,
        allow_none=True,
        metadata={"description": "If the caller is a session; `token` is the one that it stands in for."},
    )
    client_ip = fields.String(
        required=True,
        metadata={"description": "Your address as the service believes it (TRUSTED_PROXIES)."},
    )
    public_url = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Where people reach the service, if it is set."},
    )
    limits = fields.Nested(LimitsResponse, required=True)
    warnings = fields.List(
        fields.String(), required=True, metadata={"description": "Protections that are switched off."}
    )


def _scopes(scopes: tuple[Scope, ...]) -> list[str]:
    return [str(scope) for scope in scopes]


def _require_printable(name: str) -> None:
    if not name.isprintable():
        raise ValidationError("use printable characters only")


def _require_network(network: str) -> None:
    try:
        ip_network(network)
    except ValueError:
        raise ValidationError(
            "not an address or a network: write it like 192.0.2.7 or 10.0.0.0/8 (no host bits set)"
        ) from None
