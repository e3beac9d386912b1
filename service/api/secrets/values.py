"""``/vault/secret``: create and fetch, one secret or several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from flask_smorest import Blueprint

from ...errors import VaultError
from ...records import FetchedSecret, Secret
from ...secrets import read
from ...secrets.create import CreateSecret, create_all, create_each, create_secret
from ...secrets.read import SecretVersionRef
from .. import problems
from ..dependencies import dependencies
from ..error_docs import COMMON_ERRORS, documents_errors
from ..fields import EXAMPLE_ID, EXAMPLE_PATH, EXAMPLE_SECRET, EXAMPLE_TIME
from ..guard import Call, guarded
from ..json_body import BodyParser
from .requests import CreateBatchRequest, CreateRequest, FetchBatchRequest, FetchRequest
from .responses import BatchResponse, CreateResponse, FetchResponse

blueprint = Blueprint("secrets", __name__, url_prefix="/vault/secret", description="The secrets.")
blueprint.ARGUMENTS_PARSER = BodyParser()

_CREATED = {"secret_id": EXAMPLE_ID, "version": 1}
_FETCHED = {
    "secret_id": EXAMPLE_ID,
    "version": 1,
    "secret": EXAMPLE_SECRET,
    "created_at": EXAMPLE_TIME,
    "path": EXAMPLE_PATH,
    "expires_at": None,
    "reads_left": None,
}
_INVALID_BASE64 = "invalid base64: the standard alphabet with padding and no line breaks is expected"
_CREATE_FAILS = {
    **COMMON_ERRORS,
    HTTPStatus.BAD_REQUEST: _INVALID_BASE64,
    HTTPStatus.FORBIDDEN: "the token lacks a scope for this path: create:team/app/db-password",
    HTTPStatus.CONFLICT: "another secret has this path: choose another",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "a secret may have up to 65536 bytes",
}


@blueprint.post("/create/")
@guarded(blueprint, "create")
@blueprint.arguments(
    CreateRequest(),
    examples={
        "a value": {"value": {"secret": EXAMPLE_SECRET, "path": EXAMPLE_PATH}},
        "a value that nobody sees": {
            "value": {"generate": {"length": 40}, "path": EXAMPLE_PATH, "labels": {"env": "prod"}}
        },
        "a value to be read once, within a day": {
            "value": {"secret": EXAMPLE_SECRET, "max_reads": 1, "expires_in": 86_400}
        },
    },
)
@blueprint.response(200, CreateResponse, example=_CREATED)
@documents_errors(blueprint, _CREATE_FAILS)
def create(call: Call, request: CreateSecret) -> Secret:
    """Store a value as a new secret.

    The value is encrypted before it leaves the process. Without a path the secret belongs to the
    token that made it, and to administrators. After a 503 the secret may have been stored all the
    same: with a path, fetch it; without one nobody knows its id: repeat the call.
    """
    with dependencies().request_deadline():
        return create_secret(dependencies().secrets, call.entry, call.principal, request)


@blueprint.post("/create/batch")
@guarded(blueprint, "create")
@blueprint.arguments(
    CreateBatchRequest(),
    example={
        "secrets": [{"secret": EXAMPLE_SECRET, "path": EXAMPLE_PATH}, {"generate": {}}],
        "all_or_nothing": True,
    },
)
@blueprint.response(200, BatchResponse, example={"secrets": [_CREATED, _CREATED]})
@documents_errors(
    blueprint,
    {
        **_CREATE_FAILS,
        HTTPStatus.CONFLICT: (
            "secrets[0]: another secret has this path: choose another; nothing of the batch was done"
        ),
    },
)
def create_batch(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Store up to 100 values as new secrets, each with its own audit record.

    Each has its own result. With all_or_nothing they are all stored, or none is and the first problem
    is the answer. A batch is as long as any other body may be.
    """
    run = create_all if body.get("all_or_nothing") else create_each
    with dependencies().request_deadline():
        return _results(
            run(dependencies().secrets, call.entry, call.principal, body["secrets"]), CreateResponse().dump
        )


@blueprint.post("/fetch")
@guarded(blueprint, "fetch")
@blueprint.arguments(
    FetchRequest(),
    examples={
        "by id": {"value": {"secret_id": EXAMPLE_ID}},
        "by path, an older version": {"value": {"path": EXAMPLE_PATH, "version": 1}},
    },
)
@blueprint.response(200, FetchResponse, example=_FETCHED)
@documents_errors(blueprint, {**COMMON_ERRORS, HTTPStatus.NOT_FOUND: "Secret not found"})
def fetch(call: Call, request: SecretVersionRef) -> FetchedSecret:
    """Return a secret's value.

    A secret that the token does not reach is not found, like one that does not exist. Of one that it
    reaches, a 404 tells whether it was deleted, has expired, was destroyed or was already read.

    The answer leaves only when the audit record of it is durable: a 503 carries no secret. Where reads
    are limited, that one may be used up all the same: a value is given out at most as often as it may
    be. A record that was altered in the database does not open, and is answered with a 500.
    """
    with dependencies().request_deadline():
        return read.fetch(dependencies().secrets, call.entry, call.principal, request)


@blueprint.post("/fetch/batch")
@guarded(blueprint, "fetch")
@blueprint.arguments(
    FetchBatchRequest(),
    example={"secrets": [{"path": EXAMPLE_PATH}, {"secret_id": EXAMPLE_ID}]},
)
@blueprint.response(
    200,
    BatchResponse,
    example={"secrets": [_FETCHED, {"status": 404, "detail": "Secret not found"}]},
)
@documents_errors(
    blueprint,
    {
        **COMMON_ERRORS,
        HTTPStatus.NOT_FOUND: "secrets[0]: Secret not found; nothing of the batch was done",
    },
)
def fetch_batch(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Return the values of up to 100 secrets, each with its own audit record.

    Each has its own result. With all_or_nothing all values are returned, as they were at one time, or
    none is, no read is used up, and the first problem is the answer.
    """
    run = read.fetch_all if body.get("all_or_nothing") else read.fetch_each
    with dependencies().request_deadline():
        return _results(
            run(dependencies().secrets, call.entry, call.principal, body["secrets"]), FetchResponse().dump
        )


def _results(
    results: Sequence[Secret | FetchedSecret | VaultError], dump: Callable[[Any], Any]
) -> dict[str, Any]:
    return {
        "secrets": [problems.summary(one) if isinstance(one, VaultError) else dump(one) for one in results]
    }
