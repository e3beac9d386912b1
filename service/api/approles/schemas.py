"""Bodies of requests and responses about AppRoles; the OpenAPI document is generated from these."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from ...access import scopes
from ...approles import rules
from ...approles.rules import RoleRequest, SecretIdRequest
from ...tokens.attenuation import MAX_SECONDS
from ..fields import EXAMPLE_ID, count, flag, next_page
from ..tokens.schemas import TokenListRequest, TokenRequest, network_list

_MAX_COUNT = 1_000_000

_ROLE_ID = {"description": "The role's id, which is not secret.", "example": "5b1c0e9f7a3d2468"}
_ROLE = {"description": "The role: its name or its id.", "example": "ci"}
_ACCESSOR = {
    "description": "The secret id's public id: the part between `sms_` and the second underscore.",
    "example": "c4d5e6f708192a3b",
}
_MAKER = {"description": "A token's id, `operator` (a command), or `anonymous` (without authentication)."}


def _seconds(description: str, example: int) -> fields.Integer:
    return count(1, MAX_SECONDS, metadata={"description": description, "example": example})


class RoleCreateRequest(TokenRequest):
    """A role to create; all but its name and its end is about the tokens that it logs in for."""

    name = fields.String(
        required=True, metadata={"description": "The role's name, which no other role has.", "example": "ci"}
    )
    expires_in = _seconds(
        f"Seconds until each token expires; default {rules.DEFAULT_LIFETIME}.", rules.DEFAULT_LIFETIME
    )
    renewable = flag(
        "Whether tokens may be renewed for another expires_in seconds; default true, unless the role ends."
    )
    rate_limit = count(
        1,
        _MAX_COUNT,
        metadata={"description": "How many calls per minute all tokens of the role may make together."},
    )
    role_expires_in = _seconds("Seconds until the role and its tokens end; default never.", 31_536_000)

    @post_load
    def _build(self, data: dict[str, Any], **_: object) -> RoleRequest:
        return RoleRequest(
            name=data["name"],
            scopes=tuple(scopes.parse(text) for text in data["scopes"]),
            lifetime=data.get("expires_in", rules.DEFAULT_LIFETIME),
            renewable=data.get("renewable"),
            max_uses=data.get("max_uses"),
            networks=tuple(data.get("networks", ())),
            rate_limit=data.get("rate_limit"),
            expires_in=data.get("role_expires_in"),
        )


class RoleNameRequest(Schema):
    """A role, by its name or its id."""

    role = fields.String(required=True, metadata=_ROLE)


class RoleResponse(Schema):
    """A role."""

    role_id = fields.String(required=True, metadata=_ROLE_ID)
    name = fields.String(required=True)
    scopes = fields.Function(
        lambda role: [str(scope) for scope in role.scopes],
        required=True,
        metadata={"type": "array", "items": {"type": "string"}},
    )
    expires_in = fields.Integer(
        required=True, attribute="lifetime", metadata={"description": "Of each token, in seconds."}
    )
    renewable = fields.Boolean(required=True)
    max_uses = fields.Integer(required=True, allow_none=True)
    networks = fields.List(fields.String(), required=True)
    rate_limit = fields.Integer(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)
    created_by = fields.String(required=True, metadata=_MAKER)
    role_expires_at = fields.AwareDateTime(required=True, allow_none=True, attribute="expires_at")
    deleted_at = fields.AwareDateTime(required=True, allow_none=True)
    deleted_by = fields.String(required=True, allow_none=True)


class RoleListResponse(Schema):
    """A page of roles."""

    roles = fields.List(fields.Nested(RoleResponse), required=True)
    altered = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "The ids of roles whose record does not authenticate; nobody can log in."},
    )
    next = next_page()


class RoleDeleteResponse(Schema):
    """The deleted role."""

    deleted = fields.String(required=True, metadata=_ROLE_ID)


class WrapRequest(Schema):
    """How to keep a secret id for whoever is to have it."""

    expires_in = fields.Integer(
        strict=True,
        required=True,
        validate=validate.Range(1, MAX_SECONDS),
        metadata={"description": "Seconds in which it must be fetched.", "example": 300},
    )


class SecretIdCreateRequest(RoleNameRequest):
    """A secret id to create."""

    expires_in = _seconds("Seconds until nobody can log in with it; default never.", 86_400)
    max_uses = count(
        1, _MAX_COUNT, metadata={"description": "How many logins it is good for; default any number."}
    )
    networks = network_list("The addresses and networks from which it may be used to log in.")
    wrap = fields.Nested(
        WrapRequest,
        metadata={
            "description": "Do not show it, but keep it as a secret for a single read, by a new token."
        },
    )

    @post_load
    def _build(self, data: dict[str, Any], **_: object) -> tuple[str, SecretIdRequest]:
        return data["role"], SecretIdRequest(
            expires_in=data.get("expires_in"),
            max_uses=data.get("max_uses"),
            networks=tuple(data.get("networks", ())),
            wrap_seconds=data["wrap"]["expires_in"] if "wrap" in data else None,
        )


class SecretIdListRequest(RoleNameRequest, TokenListRequest):
    """Which page of a role's secret ids to list."""


class SecretIdRevokeRequest(Schema):
    """The secret id to revoke."""

    accessor = fields.String(required=True, metadata=_ACCESSOR)
    descendants = flag("Whether all tokens that it was exchanged for are revoked too; default true.")


class SecretIdResponse(Schema):
    """A secret id's description; never the secret id itself."""

    accessor = fields.String(required=True, metadata=_ACCESSOR)
    role_id = fields.String(required=True, metadata=_ROLE_ID)
    expires_at = fields.AwareDateTime(required=True, allow_none=True)
    max_uses = fields.Integer(required=True, allow_none=True)
    uses = fields.Integer(required=True, metadata={"description": "Counted only if max_uses is set."})
    used_at = fields.AwareDateTime(
        required=True, allow_none=True, metadata={"description": "The last use, if max_uses is set."}
    )
    networks = fields.List(fields.String(), required=True)
    created_at = fields.AwareDateTime(required=True)
    created_by = fields.String(required=True, metadata=_MAKER)
    revoked_at = fields.AwareDateTime(required=True, allow_none=True)
    revoked_by = fields.String(required=True, allow_none=True)


class FetchWrapped(Schema):
    """The body for `/vault/secret/fetch`."""

    secret_id = fields.String(
        required=True, metadata={"description": "Of the secret that has it.", "example": EXAMPLE_ID}
    )


class WrappedResponse(Schema):
    """How to get the secret id, once: send `fetch` to `/vault/secret/fetch` with this token."""

    token = fields.String(required=True, metadata={"description": "Good for that alone."})
    fetch = fields.Nested(FetchWrapped, required=True)
    expires_at = fields.AwareDateTime(required=True)


class SecretIdCreateResponse(SecretIdResponse):
    """A new secret id; it cannot be shown again."""

    secret_id = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "What to log in with, beside role_id; null if it was wrapped."},
    )
    wrapped = fields.Nested(WrappedResponse, required=True, allow_none=True)


class SecretIdListResponse(Schema):
    """A page of a role's secret ids."""

    secret_ids = fields.List(fields.Nested(SecretIdResponse), required=True)
    altered = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "The accessors of those whose record does not authenticate."},
    )
    next = next_page()


class SecretIdRevokeResponse(Schema):
    """The revoked secret id."""

    revoked = fields.String(required=True, metadata=_ACCESSOR)


class LoginRequest(Schema):
    """A role's id, and one of its secret ids."""

    role_id = fields.String(required=True, metadata=_ROLE_ID)
    secret_id = fields.String(
        required=True,
        metadata={
            "description": "The secret id.",
            "example": "sms_c4d5e6f708192a3b_" + 64 * "0" + "deadbeef",
        },
    )
