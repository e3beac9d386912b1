"""Bodies of responses about the service's status; the OpenAPI document is generated from these."""

from __future__ import annotations

from marshmallow import Schema, fields

from ...keys.wrap_counter import MAX_WRAPS
from ...models import Status
from ..fields import EXAMPLE_TIME


class ReplicaResponse(Schema):
    """A replica of the service that is running."""

    replica = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "Its host's name; in a container, the container's id. Null for all replicas of a"
            " version that did not record it.",
            "example": "3f2a9c1b7d04",
        },
    )
    version = fields.String(required=True, allow_none=True)
    last_seen = fields.AwareDateTime(
        required=True, metadata={"description": "Its last sign of life.", "example": EXAMPLE_TIME}
    )


class EventResponse(Schema):
    """The newest record of an operation in the audit log."""

    at = fields.AwareDateTime(required=True, attribute="record.timestamp", metadata={"example": EXAMPLE_TIME})
    status = fields.String(
        required=True, attribute="record.status", metadata={"enum": [status.value for status in Status]}
    )
    reason = fields.String(
        required=True,
        allow_none=True,
        attribute="record.reason",
        metadata={"description": "Why it failed."},
    )
    authentic = fields.Boolean(
        required=True, metadata={"description": "Whether the service wrote this record, with this content."}
    )


class HeldKeyResponse(Schema):
    """A master key that the process that answers holds."""

    key_id = fields.String(required=True, metadata={"example": "4cb1ad3f2c0e9b17"})
    primary = fields.Boolean(
        required=True, metadata={"description": "Whether whatever is new is put under this key."}
    )
    wraps = fields.Integer(
        required=True,
        metadata={"description": f"Upper bound of the wraps counted with this key, of {MAX_WRAPS} allowed."},
    )


class StatusResponse(Schema):
    """The service at a glance."""

    version = fields.String(required=True, metadata={"description": "Of the replica that answers."})
    replica = fields.String(required=True, metadata={"description": "Which replica answers."})
    authentication = fields.Boolean(required=True, metadata={"description": "Whether tokens are demanded."})
    tls = fields.Boolean(
        required=True,
        metadata={"description": "Whether the service itself serves TLS; it does not know of a proxy's."},
    )
    audit = fields.Boolean(required=True, metadata={"description": "Whether the audit log is written."})
    checks = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": "As in `/readyz`: `ok`, or why not."},
    )
    warnings = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Protections that are switched off, and keys that should be rotated."},
    )
    replicas = fields.List(
        fields.Nested(ReplicaResponse),
        required=True,
        metadata={
            "description": "Those that have written to the audit log and gave a sign of life in the last five"
            " `AUDIT_CHECKPOINT_SECONDS`, and the one that answers."
        },
    )
    last_backup = fields.Nested(
        EventResponse,
        required=True,
        allow_none=True,
        metadata={"description": "The last backup, whether it succeeded or not; null if the log has none."},
    )
    last_drill = fields.Nested(
        EventResponse,
        required=True,
        allow_none=True,
        metadata={"description": "The last restore drill, likewise."},
    )
    keys = fields.List(
        fields.Nested(HeldKeyResponse),
        required=True,
        metadata={"description": "The primary key first; `key/status` counts what is under each."},
    )
    audit_records = fields.Integer(required=True, metadata={"description": "Records in the audit log."})
    audit_bytes = fields.Integer(
        required=True, metadata={"description": "What they and their indexes use on disk."}
    )
