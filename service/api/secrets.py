"""``/vault/secret``: create and fetch."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask_smorest import Blueprint

from ..audit.recorder import Entry
from ..models import FetchedSecret, SealedVersion
from ..vault import secrets
from . import schemas
from .operations import audited, fails_with
from .parser import BodyParser, decode_base64
from .services import services

blueprint = Blueprint("secrets", __name__, url_prefix="/vault/secret", description="The secrets.")
blueprint.ARGUMENTS_PARSER = BodyParser()

_REFUSALS = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "a secret may have up to 65536 bytes",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: (
        "send the body as JSON, with the header Content-Type: application/json"
    ),
    HTTPStatus.UNPROCESSABLE_ENTITY: "the request does not fit the schema; see errors",
    HTTPStatus.SERVICE_UNAVAILABLE: "the audit log cannot be written",
}


@blueprint.post("/create/")
@audited("create")
@blueprint.arguments(schemas.CreateRequest, example={"secret": schemas.EXAMPLE_SECRET})
@blueprint.response(200, schemas.CreateResponse, example={"secret_id": schemas.EXAMPLE_ID, "version": 1})
@fails_with(
    blueprint,
    {
        HTTPStatus.BAD_REQUEST: (
            "invalid base64: the standard alphabet with padding and no line breaks is expected"
        ),
        **_REFUSALS,
    },
)
def create(entry: Entry, body: dict[str, Any]) -> SealedVersion:
    """Store a value as a new secret.

    The value is encrypted before it leaves the process. After a 503 the secret may have been
    stored all the same, but nobody knows its id: repeat the call.
    """
    with services().time_limit():
        return secrets.create(services().vault, entry, decode_base64(body["secret"]))


@blueprint.post("/fetch")
@audited("fetch")
@blueprint.arguments(schemas.FetchRequest, example={"secret_id": schemas.EXAMPLE_ID})
@blueprint.response(
    200,
    schemas.FetchResponse,
    example={
        "secret_id": schemas.EXAMPLE_ID,
        "version": 1,
        "secret": schemas.EXAMPLE_SECRET,
        "created_at": "2026-01-31T12:00:00+00:00",
    },
)
@fails_with(
    blueprint,
    {
        HTTPStatus.BAD_REQUEST: "the body is not a JSON document",
        HTTPStatus.NOT_FOUND: "Secret not found",
        **_REFUSALS,
        HTTPStatus.INTERNAL_SERVER_ERROR: "the record cannot be opened: does not authenticate",
    },
)
def fetch(entry: Entry, body: dict[str, Any]) -> FetchedSecret:
    """Return a secret's value.

    The answer leaves only when the audit record of it is durable: a 503 carries no secret. A
    record that was altered in the database does not open, and is answered with a 500.
    """
    with services().time_limit():
        return secrets.fetch(services().vault, entry, str(body["secret_id"]))
