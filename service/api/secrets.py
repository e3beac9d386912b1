"""``/vault/secret``: create and fetch."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask_smorest import Blueprint

from ..errors import VaultError
from ..models import FetchedSecret, SealedVersion
from ..store.secrets import Name
from ..vault import secrets
from . import problems, schemas
from .guard import Call, guarded
from .operations import REFUSALS, fails_with
from .parser import BodyParser, decode_base64
from .services import services

blueprint = Blueprint("secrets", __name__, url_prefix="/vault/secret", description="The secrets.")
blueprint.ARGUMENTS_PARSER = BodyParser()

_FETCHED = {
    "secret_id": schemas.EXAMPLE_ID,
    "version": 1,
    "secret": schemas.EXAMPLE_SECRET,
    "created_at": "2026-01-31T12:00:00+00:00",
    "path": schemas.EXAMPLE_PATH,
}


@blueprint.post("/create/")
@guarded(blueprint, "create")
@blueprint.arguments(
    schemas.CreateRequest, example={"secret": schemas.EXAMPLE_SECRET, "path": schemas.EXAMPLE_PATH}
)
@blueprint.response(200, schemas.CreateResponse, example={"secret_id": schemas.EXAMPLE_ID, "version": 1})
@fails_with(
    blueprint,
    {
        **REFUSALS,
        HTTPStatus.BAD_REQUEST: (
            "invalid base64: the standard alphabet with padding and no line breaks is expected"
        ),
        HTTPStatus.FORBIDDEN: "the token lacks a scope for this path: create:team/app/db-password",
        HTTPStatus.CONFLICT: "another secret has this path: choose another",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "a secret may have up to 65536 bytes",
    },
)
def create(call: Call, body: dict[str, Any]) -> SealedVersion:
    """Store a value as a new secret.

    The value is encrypted before it leaves the process. Without a path the secret belongs to the
    token that made it, and to administrators. After a 503 the secret may have been stored all the
    same: with a path, fetch it; without one nobody knows its id: repeat the call.
    """
    plaintext = decode_base64(body["secret"])
    with services().time_limit():
        return secrets.create(services().vault, call.entry, call.principal, plaintext, body.get("path"))


@blueprint.post("/fetch")
@guarded(blueprint, "fetch")
@blueprint.arguments(schemas.Name, example={"secret_id": schemas.EXAMPLE_ID})
@blueprint.response(200, schemas.FetchResponse, example=_FETCHED)
@fails_with(blueprint, {**REFUSALS, HTTPStatus.NOT_FOUND: "Secret not found"})
def fetch(call: Call, body: dict[str, Any]) -> FetchedSecret:
    """Return a secret's value.

    A secret that the token does not reach is not found, like one that does not exist. The answer
    leaves only when the audit record of it is durable: a 503 carries no secret. A record that was
    altered in the database does not open, and is answered with a 500.
    """
    with services().time_limit():
        return secrets.fetch(services().vault, call.entry, call.principal, _name(body))


@blueprint.post("/fetch/batch")
@guarded(blueprint, "fetch")
@blueprint.arguments(
    schemas.FetchBatchRequest,
    example={"secrets": [{"path": schemas.EXAMPLE_PATH}, {"secret_id": schemas.EXAMPLE_ID}]},
)
@blueprint.response(
    200,
    schemas.FetchBatchResponse,
    example={"secrets": [_FETCHED, {"status": 404, "detail": "Secret not found"}]},
)
@fails_with(blueprint, REFUSALS)
def fetch_batch(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Return the values of up to 100 secrets, each with its own result and its own audit record."""
    names = [_name(one) for one in body["secrets"]]
    with services().time_limit():
        found = secrets.fetch_several(services().vault, call.entry, call.principal, names)
    dump = schemas.FetchResponse().dump
    return {"secrets": [problems.summary(one) if isinstance(one, VaultError) else dump(one) for one in found]}


def _name(body: dict[str, Any]) -> Name:
    if "path" in body:
        return Name(body["path"], is_path=True)
    return Name(str(body["secret_id"]))
