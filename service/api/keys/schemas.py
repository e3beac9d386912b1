"""The answers about master keys; the OpenAPI document is made of these too."""

from __future__ import annotations

from marshmallow import Schema, fields

from ...keys.wrap_counter import BLOCK_SIZE, MAX_WRAPS


class KeyUseResponse(Schema):
    """One master key, and how much is under it."""

    key_id = fields.String(
        required=True,
        metadata={"description": "Names the key and tells nothing about it.", "example": "4cb1ad3f2c0e9b17"},
    )
    held = fields.Boolean(
        required=True, metadata={"description": "Whether the process that answers has this key."}
    )
    primary = fields.Boolean(
        required=True, metadata={"description": "Whether it puts new secrets and tokens under this one."}
    )
    versions = fields.Integer(required=True, metadata={"description": "Data keys of secrets' versions."})
    secret_tags = fields.Integer(required=True, metadata={"description": "Tags of secrets' places."})
    token_tags = fields.Integer(
        required=True, metadata={"description": "Tags of tokens, ended ones included."}
    )
    canary = fields.Boolean(
        required=True, metadata={"description": "Whether no process starts to serve without it."}
    )
    audit_key = fields.Boolean(
        required=True,
        metadata={"description": "Whether the key that authenticates the audit log is under this one."},
    )
    wraps = fields.Integer(
        required=True,
        metadata={
            "description": f"At least as many as it made, of {MAX_WRAPS}; reserved {BLOCK_SIZE} at a time."
        },
    )


class KeyStatusResponse(Schema):
    """All keys that this process holds or anything is under; the primary one first."""

    keys = fields.List(fields.Nested(KeyUseResponse), required=True)
    legacy = fields.Integer(
        required=True,
        metadata={"description": "Records of an earlier implementation, which do not name their key."},
    )
    malformed = fields.Integer(
        required=True, metadata={"description": "What should name a key and does not: somebody altered it."}
    )
    warnings = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Keys that are missing here, or that should make room for another soon."},
    )
