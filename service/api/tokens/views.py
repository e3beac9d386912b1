"""``/vault/token``: create and manage tokens."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response, jsonify

from ...access import scopes
from ...errors import Forbidden, TokenNotFound
from ...models import Token
from ...tokens import tokens
from ...tokens.attenuation import TokenRequest
from ..blueprint import JsonBlueprint
from ..dependencies import dependencies
from ..error_docs import COMMON_ERRORS, documents_errors
from ..guard import Call, guarded
from . import schemas

blueprint = JsonBlueprint("tokens", __name__, url_prefix="/vault/token", description="Tokens of callers.")

_TOKEN = {
    "token_id": "0f3a5b7c9d1e2f40",
    "name": "billing",
    "scopes": ["fetch:team/app/*"],
    "created_at": "2026-01-31T12:00:00+00:00",
    "created_by": "a0b1c2d3e4f5a6b7",
    "expires_at": None,
    "renewable": False,
    "max_uses": None,
    "uses": 0,
    "networks": [],
    "rate_limit": None,
    "revoked_at": None,
}
_BY_ID = {**COMMON_ERRORS, HTTPStatus.NOT_FOUND: TokenNotFound()}


@blueprint.post("/create")
@guarded(blueprint, "token_create")
@blueprint.arguments(schemas.TokenRequest(), example={"name": "billing", "scopes": ["fetch:team/app/*"]})
@blueprint.response(
    200,
    schemas.TokenCreateResponse,
    example={**_TOKEN, "token": "smt_0f3a5b7c9d1e2f40_" + 64 * "0" + "deadbeef"},
)
@documents_errors(blueprint, COMMON_ERRORS)
def create(call: Call, body: dict[str, Any]) -> Response:
    """Create a token. Only this response contains it; it is never shown again.

    It cannot exceed the caller's own token: no wider scopes, no later expiry, no other networks, no higher
    rate limit. In a session, the token must have been shown within ten minutes: see session/confirm.
    """
    request = TokenRequest(
        name=body["name"],
        scopes=tuple(scopes.parse(text) for text in body["scopes"]),
        expires_in=body.get("expires_in"),
        renewable=body.get("renewable", False),
        max_uses=body.get("max_uses"),
        networks=tuple(body.get("networks", ())),
        rate_limit=body.get("rate_limit"),
    )
    with dependencies().request_deadline():
        text, token = tokens.create(dependencies().tokens, call.entry, call.principal, request)
    shown: dict[str, Any] = schemas.TokenResponse().dump(token)
    return jsonify({**shown, "token": text})


@blueprint.post("/list")
@guarded(blueprint, "token_list")
@blueprint.arguments(schemas.TokenListRequest(), example={})
@blueprint.response(200, schemas.TokenListResponse, example={"tokens": [_TOKEN], "altered": [], "next": None})
@documents_errors(blueprint, COMMON_ERRORS)
def list_(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """List tokens: administrators see all, others those that were created with theirs.

    Expired and revoked tokens are listed for 30 days.
    """
    with dependencies().request_deadline():
        page = tokens.list_(dependencies().tokens, call.principal, body.get("after", ""))
    return {"tokens": page.tokens, "altered": page.altered, "next": page.last}


@blueprint.post("/describe")
@guarded(blueprint, "token_describe")
@blueprint.arguments(schemas.TokenNameRequest(), example={"token_id": _TOKEN["token_id"]})
@blueprint.response(200, schemas.TokenResponse, example=_TOKEN)
@documents_errors(blueprint, _BY_ID)
def describe(call: Call, body: dict[str, Any]) -> Token:
    """Return what a token may do."""
    with dependencies().request_deadline():
        return tokens.describe(dependencies().tokens, call.entry, call.principal, body["token_id"])


@blueprint.post("/renew")
@guarded(blueprint, "token_renew")
@blueprint.arguments(schemas.TokenOwnRequest(), example={})
@blueprint.response(200, schemas.TokenResponse, example=_TOKEN)
@documents_errors(blueprint, {**_BY_ID, HTTPStatus.FORBIDDEN: Forbidden("this token is not renewable")})
def renew(call: Call, body: dict[str, Any]) -> Token:
    """Extend a renewable token by its lifetime, from now on; without a token_id your own."""
    with dependencies().request_deadline():
        return tokens.renew(dependencies().tokens, call.entry, call.principal, _own_unless_named(call, body))


@blueprint.post("/revoke")
@guarded(blueprint, "token_revoke")
@blueprint.arguments(schemas.TokenRevokeRequest(), example={"token_id": _TOKEN["token_id"]})
@blueprint.response(200, schemas.TokenRevokeResponse, example={"revoked": [_TOKEN["token_id"]], "ended": 1})
@documents_errors(blueprint, _BY_ID)
def revoke(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Revoke a token and all that descend from it; without a token_id your own.

    Every replica rejects them within five seconds.
    """
    token_id = _own_unless_named(call, body)
    with dependencies().request_deadline():
        revoked = tokens.revoke(
            dependencies().tokens,
            call.entry,
            call.principal,
            token_id,
            keep_descendants=not body.get("descendants", True),
        )
    return {"revoked": revoked.token_ids, "ended": revoked.ended}


@blueprint.post("/whoami")
@guarded(blueprint, "token_whoami")
@blueprint.response(
    200,
    schemas.WhoAmIResponse,
    example={
        "actor": _TOKEN["token_id"],
        "scopes": _TOKEN["scopes"],
        "token": _TOKEN,
        "session": None,
        "client_ip": "192.0.2.7",
        "public_url": "https://vault.example.org",
        "limits": {"max_secret_bytes": 524288, "share_max_seconds": 604800},
        "warnings": [],
    },
)
@documents_errors(
    blueprint,
    {
        status: COMMON_ERRORS[status]
        for status in (
            HTTPStatus.UNAUTHORIZED,
            HTTPStatus.TOO_MANY_REQUESTS,
            HTTPStatus.INTERNAL_SERVER_ERROR,
            HTTPStatus.SERVICE_UNAVAILABLE,
        )
    },
)
def whoami(call: Call) -> dict[str, Any]:
    """Return the authenticated caller, its address, and what it has to know of the service."""
    parts, principal = dependencies(), call.principal
    return {
        "actor": principal.actor,
        "scopes": principal.scopes,
        "token": principal.token,
        "session": principal.session,
        "client_ip": call.entry.caller.client_ip,
        "public_url": parts.public_url or None,
        "limits": {
            "max_secret_bytes": parts.secrets.max_secret_bytes,
            "share_max_seconds": parts.shares.max_seconds if parts.share_enabled else None,
        },
        "warnings": parts.warnings,
    }


def _own_unless_named(call: Call, body: dict[str, Any]) -> str:
    if "token_id" in body:
        return str(body["token_id"])
    if call.principal.token is None:
        raise TokenNotFound
    return call.principal.token.token_id
