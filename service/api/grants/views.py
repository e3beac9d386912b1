"""``/vault/grant``: which Swarm services may be given which secrets; for administrators."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from ...errors import Forbidden, GrantNotFound
from ...grants import grants
from ...grants.rules import GrantRequest
from ...models import Grant
from ..blueprint import JsonBlueprint
from ..dependencies import dependencies
from ..error_docs import COMMON_ERRORS, documents_errors
from ..guard import Call, guarded
from . import schemas

blueprint = JsonBlueprint(
    "grants",
    __name__,
    url_prefix="/vault/grant",
    description="Which Swarm services may be given which secrets.",
)

_GRANT = {
    "grant_id": "7c9d1e2f400f3a5b",
    "services": ["billing_*"],
    "paths": ["team/billing/*"],
    "nodes": [],
    "images": [],
    "created_at": "2026-01-31T12:00:00+00:00",
    "created_by": "a0b1c2d3e4f5a6b7",
    "deleted_at": None,
    "deleted_by": None,
}
_ERRORS = {**COMMON_ERRORS, HTTPStatus.FORBIDDEN: Forbidden("the token lacks a scope for this: admin")}
_BY_ID = {**_ERRORS, HTTPStatus.NOT_FOUND: GrantNotFound()}


@blueprint.post("/create")
@guarded(blueprint, "grant_create")
@blueprint.arguments(
    schemas.GrantCreateRequest(), example={"services": ["billing_*"], "paths": ["team/billing/*"]}
)
@blueprint.response(200, schemas.GrantResponse, example=_GRANT)
@documents_errors(blueprint, _ERRORS)
def create(call: Call, request: GrantRequest) -> Grant:
    """Let Swarm services be given secrets; nothing is given to a service that no grant covers.

    All conditions of a grant must hold, and one grant is enough. Every replica knows it within a second.
    """
    with dependencies().request_deadline():
        return grants.create(dependencies().grants, call.entry, call.principal, request)


@blueprint.post("/list")
@guarded(blueprint, "grant_list")
@blueprint.arguments(schemas.GrantListRequest(), example={})
@blueprint.response(200, schemas.GrantListResponse, example={"grants": [_GRANT], "altered": [], "next": None})
@documents_errors(blueprint, _ERRORS)
def list_(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """List the grants that are in force."""
    with dependencies().request_deadline():
        page = grants.list_(dependencies().grants, call.principal, body.get("after", ""))
    return {"grants": page.grants, "altered": page.altered, "next": page.last}


@blueprint.post("/describe")
@guarded(blueprint, "grant_describe")
@blueprint.arguments(schemas.GrantNameRequest(), example={"grant_id": _GRANT["grant_id"]})
@blueprint.response(200, schemas.GrantResponse, example=_GRANT)
@documents_errors(blueprint, _BY_ID)
def describe(call: Call, body: dict[str, Any]) -> Grant:
    """Return a grant; for 30 days also one that was deleted."""
    with dependencies().request_deadline():
        return grants.describe(dependencies().grants, call.entry, call.principal, body["grant_id"])


@blueprint.post("/delete")
@guarded(blueprint, "grant_delete")
@blueprint.arguments(schemas.GrantNameRequest(), example={"grant_id": _GRANT["grant_id"]})
@blueprint.response(200, schemas.GrantDeleteResponse, example={"deleted": _GRANT["grant_id"]})
@documents_errors(blueprint, _BY_ID)
def delete(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Delete a grant: within five seconds no replica delivers anything by it.

    Tasks that run keep what they were given.
    """
    with dependencies().request_deadline():
        grants.delete(dependencies().grants, call.entry, call.principal, body["grant_id"])
    return {"deleted": body["grant_id"]}
