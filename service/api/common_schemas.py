"""Schemas that all parts of the API share; the OpenAPI document is generated from schemas."""

from __future__ import annotations

from marshmallow import Schema, fields


class Problem(Schema):
    """An error (RFC 9457)."""

    type = fields.String(
        required=True,
        metadata={
            "description": (
                "The kind of error, for programs: a relative URI that does not change when `detail` is"
                " reworded. It is `about:blank` if the status says everything. Later versions may add kinds;"
                " docs/reference/problems.md lists all of them."
            ),
            "example": "/problems/secret-not-found",
            "format": "uri-reference",
        },
    )
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata={"description": "What is wrong, and what to do."})
    request_id = fields.String(
        required=True,
        metadata={"description": "Also in the header X-Request-ID, the log and the audit record."},
    )
    errors = fields.Dict(keys=fields.String(), metadata={"description": "For 422: the messages by field."})
    current_version = fields.Integer(
        metadata={"description": "For 409 if another version was expected: the current version."}
    )
    state = fields.String(
        metadata={
            "description": "For 404 of a secret that has ended: how.",
            "enum": ["deleted", "expired", "destroyed", "read"],
        }
    )
    at = fields.String(metadata={"description": "For 404 of what has ended: when.", "format": "date-time"})
    by = fields.String(
        metadata={"description": "For 404 of a secret that has ended: by whom, or by which option or rule."}
    )
    from_ = fields.String(
        data_key="from", metadata={"description": "For 404 of what was read or opened: from which address."}
    )
    same_attempt = fields.Boolean(
        metadata={"description": "For 404 of a share that was opened: whether by this attempt."}
    )
    tries_left = fields.Integer(
        metadata={"description": "For 403 of a wrong passphrase: how many others can be tried."}
    )


class Health(Schema):
    """The process is running."""

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
        metadata={"description": "Protections that are switched off."},
    )


class NotReady(Problem):
    """The process cannot serve; ``checks`` says why."""

    checks = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
