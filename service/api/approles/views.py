"""``/vault/approle``: roles that programs log in as, their secret ids, and the login."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response, jsonify

from ...approles import roles, secret_ids
from ...approles.rules import RoleRequest, SecretIdRequest
from ...approles.secret_ids import CreatedSecretId
from ...audit.recorder import Entry
from ...errors import InvalidLogin, RoleNameTaken, RoleNotFound, SecretIdNotFound, TooLarge
from ...models import AppRole
from ..blueprint import JsonBlueprint
from ..dependencies import dependencies
from ..error_docs import COMMON_ERRORS, documents_errors
from ..fields import EXAMPLE_ID
from ..guard import Call, for_logins, guarded
from ..tokens.schemas import TokenCreateResponse, TokenListRequest, TokenResponse
from . import schemas

blueprint = JsonBlueprint(
    "approles",
    __name__,
    url_prefix="/vault/approle",
    description="Roles that programs log in as, and their secret ids.",
)

_ROLE = {
    "role_id": "5b1c0e9f7a3d2468",
    "name": "ci",
    "scopes": ["fetch:team/app/*"],
    "expires_in": 1200,
    "renewable": True,
    "max_uses": None,
    "networks": [],
    "rate_limit": None,
    "created_at": "2026-01-31T12:00:00+00:00",
    "created_by": "a0b1c2d3e4f5a6b7",
    "role_expires_at": None,
    "deleted_at": None,
    "deleted_by": None,
}
_SECRET_ID = {
    "accessor": "c4d5e6f708192a3b",
    "role_id": _ROLE["role_id"],
    "expires_at": "2026-02-01T12:00:00+00:00",
    "max_uses": 1,
    "uses": 0,
    "used_at": None,
    "networks": [],
    "created_at": "2026-01-31T12:00:00+00:00",
    "created_by": "a0b1c2d3e4f5a6b7",
    "revoked_at": None,
    "revoked_by": None,
}
_SECRET_ID_TEXT = "sms_c4d5e6f708192a3b_" + 64 * "0" + "deadbeef"
_WRAPPED = {
    "token": "smt_0f3a5b7c9d1e2f40_" + 64 * "0" + "deadbeef",
    "fetch": {"secret_id": EXAMPLE_ID},
    "expires_at": "2026-01-31T12:05:00+00:00",
}
_TOKEN = {
    "token_id": "0f3a5b7c9d1e2f40",
    "name": "ci",
    "scopes": _ROLE["scopes"],
    "created_at": "2026-01-31T12:00:00+00:00",
    "created_by": "approle:5b1c0e9f7a3d2468",
    "expires_at": "2026-01-31T12:20:00+00:00",
    "renewable": True,
    "max_uses": None,
    "uses": 0,
    "networks": [],
    "rate_limit": None,
    "revoked_at": None,
}
_BY_ROLE = {**COMMON_ERRORS, HTTPStatus.NOT_FOUND: RoleNotFound()}


@blueprint.post("/create")
@guarded(blueprint, "approle_create")
@blueprint.arguments(
    schemas.RoleCreateRequest(), example={"name": "ci", "scopes": ["fetch:team/app/*"], "expires_in": 1200}
)
@blueprint.response(200, schemas.RoleResponse, example=_ROLE)
@documents_errors(blueprint, {**COMMON_ERRORS, HTTPStatus.CONFLICT: RoleNameTaken()})
def create(call: Call, request: RoleRequest) -> AppRole:
    """Create a role, as which programs log in to get tokens.

    It cannot exceed the caller's own token, as a token that it creates could not, and ends if that is
    revoked.
    """
    with dependencies().request_deadline():
        return roles.create(dependencies().approles, call.entry, call.principal, request)


@blueprint.post("/list")
@guarded(blueprint, "approle_list")
@blueprint.arguments(TokenListRequest(), example={})
@blueprint.response(200, schemas.RoleListResponse, example={"roles": [_ROLE], "altered": [], "next": None})
@documents_errors(blueprint, COMMON_ERRORS)
def list_(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """List roles: administrators see all, others those that were created with their token."""
    with dependencies().request_deadline():
        page = roles.list_(dependencies().approles, call.principal, body.get("after", ""))
    return {"roles": page.roles, "altered": page.altered, "next": page.last}


@blueprint.post("/describe")
@guarded(blueprint, "approle_describe")
@blueprint.arguments(schemas.RoleNameRequest(), example={"role": "ci"})
@blueprint.response(200, schemas.RoleResponse, example=_ROLE)
@documents_errors(blueprint, _BY_ROLE)
def describe(call: Call, body: dict[str, Any]) -> AppRole:
    """Return a role; by its id for 30 days also one that was deleted."""
    with dependencies().request_deadline():
        return roles.describe(dependencies().approles, call.entry, call.principal, body["role"])


@blueprint.post("/delete")
@guarded(blueprint, "approle_delete")
@blueprint.arguments(schemas.RoleNameRequest(), example={"role": "ci"})
@blueprint.response(200, schemas.RoleDeleteResponse, example={"deleted": _ROLE["role_id"]})
@documents_errors(blueprint, _BY_ROLE)
def delete(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Delete a role, with its secret ids and all tokens of its logins.

    Every replica rejects the tokens within five seconds.
    """
    with dependencies().request_deadline():
        role_id = roles.delete(dependencies().approles, call.entry, call.principal, body["role"])
    return {"deleted": role_id}


@blueprint.post("/secret-id/create")
@guarded(blueprint, "approle_secret_id_create")
@blueprint.arguments(
    schemas.SecretIdCreateRequest(),
    examples={
        "for one login within a day": {"value": {"role": "ci", "max_uses": 1, "expires_in": 86_400}},
        "wrapped, for whoever fetches it first": {"value": {"role": "ci", "wrap": {"expires_in": 300}}},
    },
)
@blueprint.response(
    200,
    schemas.SecretIdCreateResponse,
    examples={
        "shown": {"value": {**_SECRET_ID, "secret_id": _SECRET_ID_TEXT, "wrapped": None}},
        "wrapped": {"value": {**_SECRET_ID, "secret_id": None, "wrapped": _WRAPPED}},
    },
)
@documents_errors(blueprint, _BY_ROLE)
def create_secret_id(call: Call, request: tuple[str, SecretIdRequest]) -> dict[str, Any]:
    """Create a secret id. Only this response contains it; it is never shown again.

    With `wrap`, not even this response does: it has a token that can fetch the secret id once. If somebody
    else was faster, that fetch says so. Tokens of its logins do not outlast the caller's own token.
    """
    with dependencies().request_deadline():
        created = secret_ids.create(dependencies().approles, call.entry, call.principal, *request)
    return _shown(created)


@blueprint.post("/secret-id/list")
@guarded(blueprint, "approle_secret_id_list")
@blueprint.arguments(schemas.SecretIdListRequest(), example={"role": "ci"})
@blueprint.response(
    200,
    schemas.SecretIdListResponse,
    example={"secret_ids": [_SECRET_ID], "altered": [], "next": None},
)
@documents_errors(blueprint, _BY_ROLE)
def list_secret_ids(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """List the secret ids of a role; those that have ended for 30 days."""
    with dependencies().request_deadline():
        page = secret_ids.list_(
            dependencies().approles, call.entry, call.principal, body["role"], body.get("after", "")
        )
    return {"secret_ids": page.secret_ids, "altered": page.altered, "next": page.last}


@blueprint.post("/secret-id/revoke")
@guarded(blueprint, "approle_secret_id_revoke")
@blueprint.arguments(schemas.SecretIdRevokeRequest(), example={"accessor": _SECRET_ID["accessor"]})
@blueprint.response(200, schemas.SecretIdRevokeResponse, example={"revoked": _SECRET_ID["accessor"]})
@documents_errors(blueprint, {**COMMON_ERRORS, HTTPStatus.NOT_FOUND: SecretIdNotFound()})
def revoke_secret_id(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Revoke a secret id and all tokens that it was exchanged for.

    Every replica rejects the tokens within five seconds.
    """
    with dependencies().request_deadline():
        secret_ids.revoke(
            dependencies().approles,
            call.entry,
            call.principal,
            body["accessor"],
            keep_tokens=not body.get("descendants", True),
        )
    return {"revoked": body["accessor"]}


@blueprint.post("/login")
@for_logins(blueprint, "approle_login")
@blueprint.arguments(
    schemas.LoginRequest(), example={"role_id": _ROLE["role_id"], "secret_id": _SECRET_ID_TEXT}
)
@blueprint.response(200, TokenCreateResponse, example={**_TOKEN, "token": _WRAPPED["token"]})
@documents_errors(
    blueprint,
    {
        **{status: error for status, error in COMMON_ERRORS.items() if status != HTTPStatus.FORBIDDEN},
        HTTPStatus.UNAUTHORIZED: InvalidLogin(),
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: TooLarge("the body must be shorter than 8192 bytes"),
    },
)
def login(entry: Entry, body: dict[str, Any]) -> Response:
    """Exchange a role's id and one of its secret ids for a token; this call needs none.

    Whatever is wrong, the response is the same. Failures count like those with a wrong token: too many from
    one address are refused for the rest of the minute.
    """
    with dependencies().request_deadline():
        found = dependencies().login.log_in(entry, body["role_id"], body["secret_id"])
    shown: dict[str, Any] = TokenResponse().dump(found.token)
    return jsonify({**shown, "token": found.text})


def _shown(created: CreatedSecretId) -> dict[str, Any]:
    wrapped = created.wrapped
    return {name: getattr(created.secret_id, name) for name in created.secret_id.__slots__} | {
        "secret_id": created.text,
        "wrapped": wrapped
        and {
            "token": wrapped.token,
            "fetch": {"secret_id": wrapped.secret_id},
            "expires_at": wrapped.expires_at,
        },
    }
