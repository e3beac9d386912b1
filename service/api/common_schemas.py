"""What all parts of the API have in common; the OpenAPI document is made of schemas."""

from __future__ import annotations

from marshmallow import Schema, fields


class Problem(Schema):
    """An error (RFC 9457)."""

    type = fields.String(
        required=True,
        metadata={
            "description": (
                "Names the kind of error, by a relative URI that stays as it is when `detail` is reworded:"
                " compare this. `about:blank` where the status says all. There may be more of them in a later"
                " version; docs/reference/problems.md lists all."
            ),
            "example": "/problems/secret-not-found",
            "format": "uri-reference",
        },
    )
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata={"description": "What is wrong and what to do."})
    request_id = fields.String(
        required=True, metadata={"description": "Also in X-Request-ID, the log and the audit record."}
    )
    errors = fields.Dict(keys=fields.String(), metadata={"description": "For 422: what is wrong, by field."})
    current_version = fields.Integer(
        metadata={"description": "For 409, where another version was expected: the current one."}
    )


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
