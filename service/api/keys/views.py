"""``/vault/key``: the master keys, by their ids."""

from __future__ import annotations

from http import HTTPStatus

from flask_smorest import Blueprint

from ...keys import status as keys
from ...keys.status import KeyStatus
from ..dependencies import services
from ..error_docs import REFUSALS, fails_with
from ..guard import Call, guarded
from . import schemas

blueprint = Blueprint("keys", __name__, url_prefix="/vault/key", description="The master keys, by their ids.")

_USE = {
    "key_id": "4cb1ad3f2c0e9b17",
    "held": True,
    "primary": True,
    "versions": 1200,
    "secret_tags": 1100,
    "token_tags": 12,
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
@fails_with(
    blueprint,
    {
        HTTPStatus.UNAUTHORIZED: REFUSALS[HTTPStatus.UNAUTHORIZED],
        HTTPStatus.FORBIDDEN: "the token lacks a scope for this: admin",
        HTTPStatus.TOO_MANY_REQUESTS: REFUSALS[HTTPStatus.TOO_MANY_REQUESTS],
        HTTPStatus.INTERNAL_SERVER_ERROR: REFUSALS[HTTPStatus.INTERNAL_SERVER_ERROR],
        HTTPStatus.SERVICE_UNAVAILABLE: REFUSALS[HTTPStatus.SERVICE_UNAVAILABLE],
    },
)
def status(call: Call) -> KeyStatus:
    """Tell which master keys there are and how much is under each; for administrators.

    All secrets and tokens are counted, which takes seconds where there are many.
    """
    # No limit for all of it together: each step has its own, and how many there are is nobody's fault.
    return keys.status(services().keys, call.principal)
