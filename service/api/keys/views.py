"""``/vault/key``: the status of the master keys, by key id."""

from __future__ import annotations

from http import HTTPStatus

from ...errors import Forbidden
from ...keys.status import KeyStatus, key_status
from ..blueprint import JsonBlueprint
from ..dependencies import dependencies
from ..error_docs import COMMON_ERRORS, documents_errors
from ..guard import Call, guarded
from . import schemas

blueprint = JsonBlueprint("keys", __name__, url_prefix="/vault/key", description="Status of the master keys.")

_USE = {
    "key_id": "4cb1ad3f2c0e9b17",
    "held": True,
    "primary": True,
    "versions": 1200,
    "secret_tags": 1100,
    "token_tags": 12,
    "grant_tags": 3,
    "approle_tags": 5,
    "canary": True,
    "audit_key": True,
    "wraps": 2224,
}


@blueprint.get("/status")
@guarded(blueprint, "key_status")
@blueprint.response(
    200,
    schemas.KeyStatusResponse,
    example={"keys": [_USE], "legacy": 0, "malformed": 0, "warnings": []},
)
@documents_errors(
    blueprint,
    {
        HTTPStatus.UNAUTHORIZED: COMMON_ERRORS[HTTPStatus.UNAUTHORIZED],
        HTTPStatus.FORBIDDEN: Forbidden("the token lacks a scope for this: admin"),
        HTTPStatus.TOO_MANY_REQUESTS: COMMON_ERRORS[HTTPStatus.TOO_MANY_REQUESTS],
        HTTPStatus.INTERNAL_SERVER_ERROR: COMMON_ERRORS[HTTPStatus.INTERNAL_SERVER_ERROR],
        HTTPStatus.SERVICE_UNAVAILABLE: COMMON_ERRORS[HTTPStatus.SERVICE_UNAVAILABLE],
    },
)
def status(call: Call) -> KeyStatus:
    """List the master keys and how much depends on each; for administrators.

    Counts all secrets, tokens, grants and AppRoles, which takes seconds if there are many.
    """
    # No deadline for the whole request: each database operation has its own, and many secrets need many.
    return key_status(dependencies().keys, call.principal)
