"""Bodies of responses about master keys; the OpenAPI document is generated from these."""

from __future__ import annotations

from marshmallow import Schema, fields

from ...keys.wrap_counter import BLOCK_SIZE, MAX_WRAPS


class KeyUseResponse(Schema):
    """A master key, and what depends on it."""

    key_id = fields.String(
        required=True,
        metadata={
            "description": "Identifies the key without revealing anything about it.",
            "example": "4cb1ad3f2c0e9b17",
        },
    )
    held = fields.Boolean(
        required=True, metadata={"description": "Whether the process that responds has this key."}
    )
    primary = fields.Boolean(
        required=True, metadata={"description": "Whether whatever is new is put under this key."}
    )
    versions = fields.Integer(
        required=True, metadata={"description": "Versions of secrets whose data keys it wraps."}
    )
    secret_tags = fields.Integer(
        required=True, metadata={"description": "Secrets that it authenticates, including destroyed ones."}
    )
    token_tags = fields.Integer(
        required=True, metadata={"description": "Tokens that it authenticates, including ended ones."}
    )
    grant_tags = fields.Integer(
        required=True, metadata={"description": "Grants that it authenticates, including deleted ones."}
    )
    approle_tags = fields.Integer(
        required=True,
        metadata={"description": "AppRoles and secret ids that it authenticates, including ended ones."},
    )
    canary = fields.Boolean(
        required=True, metadata={"description": "Whether every process needs this key to become ready."}
    )
    audit_key = fields.Boolean(
        required=True,
        metadata={"description": "Whether it wraps the key that authenticates the audit log."},
    )
    wraps = fields.Integer(
        required=True,
        metadata={
            "description": f"Upper bound of the wraps made with this key, of {MAX_WRAPS} allowed; counted in"
            f" blocks of {BLOCK_SIZE}."
        },
    )


class KeyStatusResponse(Schema):
    """All keys that this process holds or that something depends on; the primary key first."""

    keys = fields.List(fields.Nested(KeyUseResponse), required=True)
    legacy = fields.Integer(
        required=True,
        metadata={"description": "Records of an earlier implementation; these do not name their key."},
    )
    malformed = fields.Integer(
        required=True,
        metadata={"description": "Data keys and tags that should name a key but do not: they were altered."},
    )
    warnings = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Keys that this process lacks, or that should be rotated soon."},
    )
