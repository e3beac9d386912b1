"""Bodies of requests and responses about the audit log; the OpenAPI document is generated from these."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from ...audit import search
from ...audit.findings import FindingKind
from ...models import Status
from ..fields import EXAMPLE_ID, EXAMPLE_PATH, EXAMPLE_TIME, Text, actor_names, count, moment, wants_names

MAX_FINDINGS = 1000
# As many as fit into a body of the default maximum size.
_MAX_CHECKPOINTS = 100
_RECORD_ID = "67a1b2c30a1b2c3d4e5f6071:000000000042"


class SearchRequest(Schema):
    """Which records to find: those that match all given fields."""

    since = moment("Only records from this time on.")
    until = moment("Only records before this time.")
    actor = Text(metadata={"description": "The caller: a token's id, `operator`, `anonymous` …"})
    operation = Text(metadata={"description": "The operation.", "example": "fetch"})
    secret_id = Text(metadata={"description": "The secret's id.", "example": EXAMPLE_ID})
    path = Text(
        metadata={
            "description": "The secret's path; a move is found by its old path and by its new one.",
            "example": EXAMPLE_PATH,
        }
    )
    client_ip = Text(metadata={"description": "The client's address.", "example": "192.0.2.7"})
    service = Text(metadata={"description": "The Swarm service's name.", "example": "billing_api"})
    task_id = Text(metadata={"description": "The Swarm task's id.", "example": "n2v8qjw0xk3m5r7t9y1b4c6d8"})
    node_id = Text(metadata={"description": "The Swarm node's id.", "example": "p0s9d8f7g6h5j4k3l2m1n0b9v"})
    status = fields.String(
        validate=validate.OneOf([status.value for status in Status]),
        metadata={"description": "Whether the operation succeeded."},
    )
    names = wants_names()
    cursor = fields.String(metadata={"description": "`cursor` of the previous page."})
    limit = count(
        1,
        search.MAX_PAGE,
        metadata={
            "description": "Records per page; default 100. A page may have more, to complete a millisecond."
        },
    )


class RecordResponse(Schema):
    """One operation."""

    record_id = fields.String(required=True, metadata={"example": _RECORD_ID})
    timestamp = fields.DateTime(required=True, metadata={"example": EXAMPLE_TIME})
    operation = fields.String(required=True)
    secret_id = fields.String(required=True, allow_none=True)
    path = fields.String(required=True, allow_none=True)
    new_path = fields.String(
        required=True, allow_none=True, metadata={"description": "Where the secret was to be moved to."}
    )
    token_id = fields.String(
        required=True, allow_none=True, metadata={"description": "The token that the operation was about."}
    )
    grant_id = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The grant that the operation was about, or that allowed the delivery."},
    )
    version = fields.Integer(
        required=True, allow_none=True, metadata={"description": "For deliveries: the version."}
    )
    service = fields.String(
        required=True, allow_none=True, metadata={"description": "For deliveries: the service's name."}
    )
    service_id = fields.String(required=True, allow_none=True)
    task_id = fields.String(
        required=True, allow_none=True, metadata={"description": "For deliveries: the task's id."}
    )
    node_id = fields.String(
        required=True, allow_none=True, metadata={"description": "For deliveries: the node's id."}
    )
    docker_secret = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "For deliveries: the name of the Docker secret."},
    )
    api = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "`v1` if a client of Vault made the call; null for this API."},
    )
    role_id = fields.String(
        required=True, allow_none=True, metadata={"description": "The AppRole that the operation was about."}
    )
    accessor = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The secret id that the operation was about, by its accessor."},
    )
    client_ip = fields.String(required=True)
    status = fields.String(required=True, metadata={"enum": [status.value for status in Status]})
    reason = fields.String(required=True, allow_none=True, metadata={"description": "Why it failed."})
    count = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "How many calls the record stands for, if they were past a rate limit."},
    )
    actor = fields.String(required=True)
    request_id = fields.String(required=True)
    authentic = fields.Boolean(
        required=True,
        metadata={
            "description": "Whether the service wrote this record, with this content. Records from before"
            " there were chains have nothing to show it by: false."
        },
    )


class SearchResponse(Schema):
    """A page of records, newest first."""

    records = fields.List(fields.Nested(RecordResponse), required=True)
    cursor = fields.String(
        required=True, allow_none=True, metadata={"description": "For the next page; null on the last page."}
    )
    names = actor_names()


class VerifyRequest(Schema):
    """Checkpoints that were kept outside the database."""

    checkpoints = fields.List(
        fields.Dict(keys=fields.String()),
        validate=validate.Length(max=_MAX_CHECKPOINTS),
        metadata={
            "description": "The `checkpoint` objects from lines of the service's log, or from manifests of"
            " backups, unchanged."
        },
    )


class FindingResponse(Schema):
    """A difference from what the service wrote."""

    kind = fields.String(required=True, metadata={"enum": [kind.value for kind in FindingKind]})
    first = fields.String(
        required=True, metadata={"description": "The id of the first record.", "example": _RECORD_ID}
    )
    last = fields.String(required=True, metadata={"description": "The id of the last record."})
    detail = fields.String(required=True)
    after = fields.DateTime(
        required=True, allow_none=True, metadata={"description": "The time of the preceding record."}
    )
    before = fields.DateTime(
        required=True,
        allow_none=True,
        metadata={"description": "The time of the record itself or of the following one."},
    )


class AnchorsResponse(Schema):
    """Checkpoints from outside the database that the log was compared with."""

    kind = fields.String(
        required=True,
        metadata={
            "enum": ["volume", "given"],
            "description": "`volume`: the one in the `AUDIT_ANCHOR_DIR` of the node; `given`: by the call.",
        },
    )
    checkpoint = fields.Integer(required=True, metadata={"description": "The number of the newest."})
    compared = fields.Integer(required=True, metadata={"description": "How many there were."})


class VerifyResponse(Schema):
    """Whether the log is unaltered and complete."""

    fine = fields.Boolean(required=True, metadata={"description": "True if there are no findings."})
    records = fields.Integer(required=True, metadata={"description": "Records in chains that were read."})
    chains = fields.Integer(required=True)
    open = fields.Integer(required=True, metadata={"description": "Chains of running processes."})
    expired = fields.Integer(
        required=True,
        metadata={"description": "Records that were removed because of their age, as checkpoints show."},
    )
    unchained = fields.Integer(
        required=True,
        metadata={"description": "Records from before there were chains; they cannot be verified."},
    )
    checkpoints = fields.Integer(required=True)
    anchors = fields.List(
        fields.Nested(AnchorsResponse),
        required=True,
        metadata={
            "description": "What the log was compared with that is not in its own database. If this is empty,"
            " an earlier state of the whole database would be found fine."
        },
    )
    found = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={"description": "The number of findings, by kind."},
    )
    findings = fields.List(
        fields.Nested(FindingResponse),
        required=True,
        metadata={"description": f"The first {MAX_FINDINGS} findings."},
    )
