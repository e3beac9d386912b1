"""The bodies of requests and answers; the OpenAPI document is made of these."""

from __future__ import annotations

import base64

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from ..models import FetchedSecret
from ..vault.paths import RULE

EXAMPLE_ID = "3f0f7b52-7a3c-4b52-9a53-0a7d4bb2f7b1"
EXAMPLE_SECRET = "aGVsbG8="  # noqa: S105  (hello)
EXAMPLE_PATH = "team/app/db-password"

MOST_IN_BATCH = 100

_secret_id = {"description": "The id that create returned (UUID version 4).", "example": EXAMPLE_ID}
_version = {"description": "Versions of a secret count from 1.", "example": 1, "minimum": 1}
_secret = {
    "description": "The value, base64 (RFC 4648 section 4, padded, no line breaks); may be empty.",
    "format": "byte",
    "example": EXAMPLE_SECRET,
}


_path = {"description": f"The secret's name for people and policies: {RULE}.", "example": EXAMPLE_PATH}


class CreateRequest(Schema):
    """A value to keep."""

    secret = fields.String(required=True, metadata=_secret)
    path = fields.String(metadata=_path)


class CreateResponse(Schema):
    """Where the value is now."""

    secret_id = fields.String(required=True, metadata={**_secret_id, "format": "uuid"})
    version = fields.Integer(required=True, metadata=_version)


class Name(Schema):
    """Which secret: its id or its path."""

    secret_id = fields.UUID(metadata=_secret_id)
    path = fields.String(metadata=_path)

    @validates_schema
    def _require_one(self, data: dict[str, object], **_: object) -> None:
        if len(data) != 1:
            raise ValidationError("name the secret by secret_id or by path, by one of them")


class FetchBatchRequest(Schema):
    """Which secrets to return."""

    secrets = fields.List(
        fields.Nested(Name), required=True, validate=validate.Length(min=1, max=MOST_IN_BATCH)
    )


class FetchResponse(Schema):
    """A value in the clear."""

    secret_id = fields.String(required=True, metadata={**_secret_id, "format": "uuid"})
    version = fields.Integer(required=True, metadata=_version)
    secret = fields.Function(
        lambda fetched: _encode(fetched), required=True, metadata={**_secret, "type": "string"}
    )
    created_at = fields.AwareDateTime(
        allow_none=True,
        metadata={
            "description": "When this version was stored; null where an earlier implementation did not say.",
            "example": "2026-01-31T12:00:00+00:00",
        },
    )
    path = fields.String(allow_none=True, metadata={**_path, "description": "Null where it has none."})


class FetchBatchResponse(Schema):
    """For each secret that was asked for, in that order, the value or what is wrong."""

    secrets = fields.List(
        fields.Dict(
            metadata={
                "description": "What fetch would answer: a value in the clear, or a problem with `status`"
                " and `detail`."
            }
        ),
        required=True,
    )


class Problem(Schema):
    """An error (RFC 9457)."""

    type = fields.String(required=True, metadata={"example": "about:blank"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata={"description": "What is wrong and what to do."})
    request_id = fields.String(
        required=True, metadata={"description": "Also in X-Request-ID, the log and the audit record."}
    )
    errors = fields.Dict(keys=fields.String(), metadata={"description": "For 422: what is wrong, by field."})


class Health(Schema):
    """The process runs."""

    status = fields.String(required=True, metadata={"enum": ["ok"]})


class Ready(Schema):
    """The process can serve."""

    status = fields.String(required=True, metadata={"enum": ["ready"]})
    checks = fields.Dict(
        keys=fields.String(), values=fields.String(), required=True, metadata={"example": {"keys": "ok"}}
    )
    warnings = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "What is switched off that protects the secrets."},
    )


class NotReady(Problem):
    """The process cannot serve; ``checks`` says why."""

    checks = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


def _encode(fetched: FetchedSecret) -> str:
    return base64.b64encode(fetched.plaintext).decode()
