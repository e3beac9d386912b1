"""``/vault/secret``: create and fetch, single secrets or batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from ...errors import (
    BatchFailed,
    Forbidden,
    InvalidBase64,
    PathTaken,
    SecretNotFound,
    TooLarge,
    VaultError,
)
from ...records import FetchedSecret, Secret
from ...secrets import read
from ...secrets.create import CreateSecret, create_all, create_each, create_secret
from ...secrets.read import SecretVersionRef
from .. import problems
from ..blueprint import JsonBlueprint
from ..dependencies import dependencies
from ..error_docs import COMMON_ERRORS, INVALID_BASE64, documents_errors
from ..fields import EXAMPLE_ID, EXAMPLE_PATH, EXAMPLE_SECRET, EXAMPLE_TIME
from ..guard import Call, guarded
from .requests import CreateBatchRequest, CreateRequest, FetchBatchRequest, FetchRequest
from .responses import BatchResponse, CreateResponse, FetchResponse

blueprint = JsonBlueprint("secrets", __name__, url_prefix="/vault/secret", description="The secrets.")

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
_CREATE_ERRORS = {
    **COMMON_ERRORS,
    HTTPStatus.BAD_REQUEST: InvalidBase64(INVALID_BASE64),
    HTTPStatus.FORBIDDEN: Forbidden("the token lacks a scope for this path: create:team/app/db-password"),
    HTTPStatus.CONFLICT: PathTaken(),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: TooLarge("a secret may have up to 524288 bytes (MAX_SECRET_BYTES)"),
}


@blueprint.post("/create/")
@guarded(blueprint, "create")
@blueprint.arguments(
    CreateRequest(),
    examples={
        "a value": {"value": {"secret": EXAMPLE_SECRET, "path": EXAMPLE_PATH}},
        "a generated value": {
            "value": {"generate": {"length": 40}, "path": EXAMPLE_PATH, "labels": {"env": "prod"}}
        },
        "a value for a single read within a day": {
            "value": {"secret": EXAMPLE_SECRET, "max_reads": 1, "expires_in": 86_400}
        },
    },
)
@blueprint.response(200, CreateResponse, example=_CREATED)
@documents_errors(blueprint, _CREATE_ERRORS)
def create(call: Call, request: CreateSecret) -> Secret:
    """Store a value as a new secret.

    The value is encrypted before it leaves the process. A secret without a path is accessible only to the
    token that created it and to administrators. After a 503 the secret may have been stored: if it has a
    path, fetch it to check; without a path, repeat the call, because its id is unknown.
    """
    with dependencies().request_deadline():
        return create_secret(dependencies().secrets, call.entry, call.principal, request)


@blueprint.post("/create/batch")
@guarded(blueprint, "create", batch=True)
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
        **_CREATE_ERRORS,
        HTTPStatus.CONFLICT: BatchFailed(0, PathTaken()),
    },
)
def create_batch(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Store up to 100 values as new secrets, each with its own audit record.

    Each secret has its own result. With all_or_nothing, either all are stored, or none is and the response
    is the first error. The maximum body size is the same as for a single secret. Of what a token may do, a
    batch takes as many calls and uses as it has secrets.
    """
    run = create_all if body.get("all_or_nothing") else create_each
    with dependencies().request_deadline():
        call.charge(len(body["secrets"]))
        return _results(
            run(dependencies().secrets, call.entry, call.principal, body["secrets"]), CreateResponse().dump
        )


@blueprint.post("/fetch")
@guarded(blueprint, "fetch")
@blueprint.arguments(
    FetchRequest(),
    examples={
        "by id": {"value": {"secret_id": EXAMPLE_ID}},
        "an older version, by path": {"value": {"path": EXAMPLE_PATH, "version": 1}},
    },
)
@blueprint.response(200, FetchResponse, example=_FETCHED)
@documents_errors(blueprint, {**COMMON_ERRORS, HTTPStatus.NOT_FOUND: SecretNotFound()})
def fetch(call: Call, request: SecretVersionRef) -> FetchedSecret:
    """Return a secret's value.

    For a secret outside the token's scopes the response is the same as for one that does not exist. For one
    inside them, a 404 says whether it was deleted, has expired, was destroyed or was already read.

    The response is sent only after its audit record is durable; a 503 never contains a secret. If reads are
    limited, a 503 may still use up a read, so that a value is never returned more often than allowed. A
    record that was altered in the database cannot be decrypted: the response is a 500.
    """
    with dependencies().request_deadline():
        return read.fetch(dependencies().secrets, call.entry, call.principal, request)


@blueprint.post("/fetch/batch")
@guarded(blueprint, "fetch", batch=True)
@blueprint.arguments(
    FetchBatchRequest(),
    example={"secrets": [{"path": EXAMPLE_PATH}, {"secret_id": EXAMPLE_ID}]},
)
@blueprint.response(
    200,
    BatchResponse,
    example={"secrets": [_FETCHED, problems.summary(SecretNotFound())]},
)
@documents_errors(
    blueprint,
    {
        **COMMON_ERRORS,
        HTTPStatus.NOT_FOUND: BatchFailed(0, SecretNotFound()),
    },
)
def fetch_batch(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Return the values of up to 100 secrets, each with its own audit record.

    Each secret has its own result. With all_or_nothing, either all values are returned, as of the same point
    in time, or none is, no read is used up, and the response is the first error. If the values have more
    than 16 MiB together, the response is 422, and no read is used up.
    """
    run = read.fetch_all if body.get("all_or_nothing") else read.fetch_each
    with dependencies().request_deadline():
        call.charge(len(body["secrets"]))
        return _results(
            run(dependencies().secrets, call.entry, call.principal, body["secrets"]), FetchResponse().dump
        )


def _results(
    results: Sequence[Secret | FetchedSecret | VaultError], dump: Callable[[Any], Any]
) -> dict[str, Any]:
    return {
        "secrets": [
            problems.summary(result) if isinstance(result, VaultError) else dump(result) for result in results
        ]
    }
