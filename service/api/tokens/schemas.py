"""The bodies of requests and answers about tokens; the OpenAPI document is made of these too."""

from __future__ import annotations

from ipaddress import ip_network

from marshmallow import Schema, ValidationError, fields, validate

from ...models import Scope
from ...tokens.attenuation import MAX_NAME_CHARACTERS, MAX_SECONDS

_MAX_COUNT = 1_000_000

_token_id = {"description": "The part between smt_ and the second underscore.", "example": "0f3a5b7c9d1e2f40"}


class TokenRequest(Schema):
    """A token to make; it can be given no more than yours holds."""

    name = fields.String(
        required=True,
        validate=[validate.Length(min=1, max=MAX_NAME_CHARACTERS), lambda name: _require_printable(name)],
        metadata={"description": "For people: who or what will use it.", "example": "billing"},
    )
    scopes = fields.List(
        fields.String(),
        required=True,
        validate=validate.Length(min=1, max=100),
        metadata={
            "description": "`action:pattern` with create, fetch, list, update or delete and a path,"
            " `folder/*` or `*`; or token, audit or admin alone.",
            "example": ["fetch:team/app/*"],
        },
    )
    expires_in = fields.Integer(
        strict=True,
        validate=validate.Range(1, MAX_SECONDS),
        metadata={"description": "Seconds until it ends; without it, it does not.", "example": 2_592_000},
    )
    renewable = fields.Boolean(
        truthy={True},
        falsy={False},
        metadata={"description": "Whether its holder may renew it, by expires_in from then on."},
    )
    max_uses = fields.Integer(
        strict=True,
        validate=validate.Range(1, _MAX_COUNT),
        metadata={"description": "How many calls it is good for."},
    )
    networks = fields.List(
        fields.String(validate=lambda network: _require_network(network)),
        validate=validate.Length(min=1, max=100),
        metadata={"description": "The addresses from which it may be used.", "example": ["10.0.0.0/8"]},
    )
    rate_limit = fields.Integer(
        strict=True,
        validate=validate.Range(1, _MAX_COUNT),
        metadata={"description": "How many calls per minute it is good for, over all replicas."},
    )


class TokenNameRequest(Schema):
    """Which token."""

    token_id = fields.String(required=True, metadata=_token_id)


class TokenOwnRequest(Schema):
    """Which token; without a token_id your own."""

    token_id = fields.String(metadata=_token_id)


class TokenRevokeRequest(TokenOwnRequest):
    """Which token to end."""

    descendants = fields.Boolean(
        truthy={True},
        falsy={False},
        metadata={"description": "Whether to end those too that were made with it, directly or not."},
    )


class TokenListRequest(Schema):
    """Where to go on."""

    after = fields.String(
        validate=validate.Regexp(r"[0-9a-f]{16}\Z", error="this is no `next` of an answer before"),
        metadata={"description": "`next` of the answer before.", "pattern": "^[0-9a-f]{16}$"},
    )


class TokenResponse(Schema):
    """What a token may do; never the token itself."""

    token_id = fields.String(required=True, metadata=_token_id)
    name = fields.String(required=True)
    scopes = fields.Function(
        lambda token: _scopes(token.scopes),
        required=True,
        metadata={"type": "array", "items": {"type": "string"}},
    )
    created_at = fields.AwareDateTime(required=True)
    created_by = fields.String(
        required=True, metadata={"description": "A token's id; operator, on the machine; anonymous."}
    )
    expires_at = fields.AwareDateTime(allow_none=True)
    renewable = fields.Function(
        lambda token: token.lifetime is not None, required=True, metadata={"type": "boolean"}
    )
    max_uses = fields.Integer(allow_none=True)
    uses = fields.Integer(required=True, metadata={"description": "Counted only where max_uses limits them."})
    networks = fields.List(fields.String(), required=True)
    rate_limit = fields.Integer(allow_none=True)
    revoked_at = fields.AwareDateTime(allow_none=True)


class TokenCreateResponse(TokenResponse):
    """A new token; nobody can show it again."""

    token = fields.String(required=True, metadata={"description": "What to send as Authorization: Bearer."})


class TokenListResponse(Schema):
    """A page of tokens."""

    tokens = fields.List(fields.Nested(TokenResponse), required=True)
    next = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Where the next page begins, if there is one."},
    )


class TokenRevokeResponse(Schema):
    """Which tokens were ended."""

    revoked = fields.List(fields.String(), required=True)


class WhoAmIResponse(Schema):
    """Who the service takes you for."""

    actor = fields.String(required=True, metadata={"description": "As in the audit log."})
    scopes = fields.Function(
        lambda principal: _scopes(principal.scopes),
        required=True,
        metadata={"type": "array", "items": {"type": "string"}},
    )
    token = fields.Nested(TokenResponse, required=True, allow_none=True)


def _scopes(scopes: tuple[Scope, ...]) -> list[str]:
    return [str(scope) for scope in scopes]


def _require_printable(name: str) -> None:
    if not name.isprintable():
        raise ValidationError("use printable characters")


def _require_network(network: str) -> None:
    try:
        ip_network(network)
    except ValueError:
        raise ValidationError("write an address or a network such as 10.0.0.0/8 (no host bits set)") from None
