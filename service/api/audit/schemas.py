"""The bodies of requests and answers about the audit log; the OpenAPI document is made of these too."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from ...audit import search
from ...audit.findings import FindingKind
from ...models import Status
from ..fields import EXAMPLE_ID, EXAMPLE_PATH, EXAMPLE_TIME, Text, count, moment

MAX_FINDINGS = 1000
# As many as a body of the usual length holds.
_MAX_CHECKPOINTS = 100
_RECORD_ID = "67a1b2c30a1b2c3d4e5f6071:000000000042"


class SearchRequest(Schema):
    """What to find; all that is given must fit."""

    since = moment("From this time on.")
    until = moment("Before this time.")
    actor = Text(metadata={"description": "Who asked: a token's id, `operator` or `anonymous`."})
    operation = Text(metadata={"description": "What was asked for.", "example": "fetch"})
    secret_id = Text(metadata={"description": "Which secret it was about.", "example": EXAMPLE_ID})
    path = Text(metadata={"description": "Which path it was about.", "example": EXAMPLE_PATH})
    client_ip = Text(metadata={"description": "Where it came from.", "example": "192.0.2.7"})
    status = fields.String(
        validate=validate.OneOf([status.value for status in Status]),
        metadata={"description": "How it ended."},
    )
    cursor = fields.String(metadata={"description": "`cursor` of the answer before."})
    limit = count(
        1,
        search.MAX_PAGE,
        metadata={
            "description": "Records per page; 100 without it. A page goes on to the end of its millisecond."
        },
    )


class RecordResponse(Schema):
    """One operation."""

    record_id = fields.String(required=True, metadata={"example": _RECORD_ID})
    timestamp = fields.DateTime(required=True, metadata={"example": EXAMPLE_TIME})
    operation = fields.String(required=True)
    secret_id = fields.String(required=True, allow_none=True)
    path = fields.String(required=True, allow_none=True)
    token_id = fields.String(
        required=True, allow_none=True, metadata={"description": "Which token it was about."}
    )
    client_ip = fields.String(required=True)
    status = fields.String(required=True, metadata={"enum": [status.value for status in Status]})
    reason = fields.String(required=True, allow_none=True, metadata={"description": "Why it failed."})
    actor = fields.String(required=True)
    request_id = fields.String(required=True)


class SearchResponse(Schema):
    """A page of records, the newest first."""

    records = fields.List(fields.Nested(RecordResponse), required=True)
    cursor = fields.String(required=True, allow_none=True, metadata={"description": "For the next page."})


class VerifyRequest(Schema):
    """What is known from outside the database."""

    checkpoints = fields.List(
        fields.Dict(keys=fields.String()),
        validate=validate.Length(max=_MAX_CHECKPOINTS),
        metadata={"description": "`checkpoint` of lines of the service's log, as they stand there."},
    )


class FindingResponse(Schema):
    """Something that is not as the service wrote it."""

    kind = fields.String(required=True, metadata={"enum": [kind.value for kind in FindingKind]})
    first = fields.String(
        required=True, metadata={"description": "The id of the record.", "example": _RECORD_ID}
    )
    last = fields.String(required=True, metadata={"description": "The last one's, of several."})
    detail = fields.String(required=True)
    after = fields.DateTime(
        required=True, allow_none=True, metadata={"description": "The time of the record before."}
    )
    before = fields.DateTime(
        required=True, allow_none=True, metadata={"description": "The time of the record or of the next."}
    )


class VerifyResponse(Schema):
    """Whether the log is as it was written."""

    fine = fields.Boolean(required=True, metadata={"description": "Whether nothing was found."})
    records = fields.Integer(required=True, metadata={"description": "Records that were read, in chains."})
    chains = fields.Integer(required=True)
    open = fields.Integer(required=True, metadata={"description": "Chains of living processes."})
    expired = fields.Integer(
        required=True,
        metadata={"description": "Records that are gone because of their age, as checkpoints show."},
    )
    unchained = fields.Integer(
        required=True, metadata={"description": "Records from before there were chains: nothing proves them."}
    )
    checkpoints = fields.Integer(required=True)
    found = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={"description": "How many, by kind."},
    )
    findings = fields.List(
        fields.Nested(FindingResponse),
        required=True,
        metadata={"description": f"The first {MAX_FINDINGS} of them."},
    )
