"""``/vault/secret/deliver``: values for Swarm services."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import request as http_request

from ... import metrics
from ...errors import Forbidden, NotGranted
from ...records import FetchedSecret, readable_until
from ...secrets.deliver import DeliverSecret, check, deliver
from ..blueprint import JsonBlueprint
from ..dependencies import dependencies
from ..error_docs import COMMON_ERRORS, documents_errors
from ..fields import EXAMPLE_ID, EXAMPLE_PATH, EXAMPLE_SECRET, EXAMPLE_TIME
from ..guard import Call, guarded
from .requests import DeliverRequest
from .responses import DeliverResponse

blueprint = JsonBlueprint(
    "delivery", __name__, url_prefix="/vault/secret", description="Secrets for Swarm services."
)

_SERVICE = {"id": "s7k2m9x4c1v8b3n6q5w0e2r4t", "name": "billing_api"}
_DELIVER = {
    "path": EXAMPLE_PATH,
    "version": 1,
    "service": {**_SERVICE, "labels": {}, "image": "billing:1.2"},
    "task": {"id": "n2v8qjw0xk3m5r7t9y1b4c6d8", "name": "billing_api.1.n2v8qjw0xk3m5r7t9y1b4c6d8"},
    "node": {"id": "p0s9d8f7g6h5j4k3l2m1n0b9v"},
    "docker_secret": "db-password.v1",
}
_DELIVERED = {
    "secret_id": EXAMPLE_ID,
    "version": 1,
    "secret": EXAMPLE_SECRET,
    "created_at": EXAMPLE_TIME,
    "path": EXAMPLE_PATH,
    "expires_at": None,
}


# How many calls of the engine did not reach the vault since the driver's last delivery.  A header, because a
# replica of an earlier version refuses fields that it does not know.
UNREACHED_HEADER = "Secret-Manager-Unreached"
_MAX_UNREACHED = 10_000


@blueprint.post("/deliver")
@guarded(blueprint, "deliver")
@blueprint.arguments(
    DeliverRequest(),
    examples={
        "for a task": {"value": _DELIVER},
        "only to decide": {"value": {"path": EXAMPLE_PATH, "service": _SERVICE, "check": True}},
    },
)
@blueprint.response(200, DeliverResponse, example=_DELIVERED)
@documents_errors(
    blueprint,
    {
        **COMMON_ERRORS,
        HTTPStatus.FORBIDDEN: Forbidden("the token lacks a scope for this: deliver"),
        HTTPStatus.NOT_FOUND: NotGranted("billing_api", EXAMPLE_PATH),
    },
)
def deliver_(call: Call, request: DeliverSecret) -> FetchedSecret | dict[str, Any]:
    """Return a secret's value for a task of a Swarm service.

    The token's `deliver` scope must cover the path, a grant must let the service have it, and the version
    must be live. Without a grant the response is the same whether there is a secret or not. Secrets with
    max_reads are not delivered. The record of each decision names the service, the task and the node.
    """
    parts = dependencies()
    with parts.request_deadline():
        if not request.check:
            value = deliver(parts.secrets, parts.current_grants, call.entry, call.principal, request)
            metrics.driver_unreached.inc(_unreached())
            return value
        secret, version = check(parts.secrets, parts.current_grants, call.entry, call.principal, request)
    return {
        "secret_id": secret.secret_id,
        "version": version.version,
        "created_at": version.created_at,
        "path": secret.path,
        "expires_at": readable_until(secret, version),
    }


def _unreached() -> int:
    """Return what the driver reports; a counter of this service is not worth an error, nor any number."""
    text = http_request.headers.get(UNREACHED_HEADER, "")
    return min(int(text), _MAX_UNREACHED) if text.isascii() and text.isdigit() and len(text) < 10 else 0
