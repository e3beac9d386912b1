"""The bodies of answers about secrets; the OpenAPI document is made of these too."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from marshmallow import Schema, fields

from ...records import Secret, State, ends_at
from ...secrets import state
from ..fields import EXAMPLE_TIME, ID, LABELS, PATH, SECRET, VERSION, Base64Bytes

_UUID = {**ID, "format": "uuid"}
_STATES = {"enum": list(State)}
_CURRENT = {"description": "The current version; numbers are never used twice.", "example": 1, "minimum": 1}
_ENDS = {"description": "When it goes for good; null where nothing ends it.", "example": EXAMPLE_TIME}


def _moment(description: str | None = None) -> fields.AwareDateTime:
    return fields.AwareDateTime(allow_none=True, metadata={"description": description} if description else {})


def _actor(description: str) -> fields.String:
    return fields.String(
        allow_none=True, metadata={"description": f"{description}, as the audit log calls them."}
    )


class CreateResponse(Schema):
    """Where the value is now."""

    secret_id = fields.String(required=True, metadata=_UUID)
    version = fields.Integer(attribute="current", required=True, metadata=VERSION)


class BatchResponse(Schema):
    """For each secret, in their order, what the call for it alone would answer."""

    secrets = fields.List(
        fields.Dict(
            metadata={"description": "The same as for one, or a problem with `status` and `detail`."}
        ),
        required=True,
    )


class FetchResponse(Schema):
    """A value in the clear."""

    secret_id = fields.String(required=True, metadata=_UUID)
    version = fields.Integer(required=True, metadata=VERSION)
    secret = Base64Bytes(attribute="plaintext", required=True, metadata=SECRET)
    created_at = fields.AwareDateTime(
        allow_none=True,
        metadata={
            "description": "When this version was stored; null where an earlier implementation did not say.",
            "example": EXAMPLE_TIME,
        },
    )
    path = fields.String(allow_none=True, metadata={**PATH, "description": "Null where it has none."})
    expires_at = _moment("When it can be had no longer; null where nothing ends it.")
    reads_left = fields.Integer(
        allow_none=True, metadata={"description": "How many more fetches there are; null for no limit."}
    )


class ChangedResponse(Schema):
    """What the secret is now."""

    secret_id = fields.String(required=True, metadata=_UUID)
    version = fields.Integer(required=True, metadata=_CURRENT)
    state = fields.String(required=True, metadata=_STATES)
    ends_at = fields.AwareDateTime(required=True, allow_none=True, metadata=_ENDS)


class VersionDescription(Schema):
    """A version of a secret."""

    version = fields.Integer(required=True, metadata=VERSION)
    state = fields.String(required=True, metadata=_STATES)
    created_at = _moment()
    created_by = _actor("Who gave the value")
    expires_at = _moment()
    deleted_at = _moment("May lie in the future: then it is deleted by itself.")
    deleted_by = _actor("Who deleted it")
    destroyed_at = _moment()
    destroyed_by = _actor("Who destroyed it, or the setting that did")


class SecretSummary(Schema):
    """A secret in a list."""

    secret_id = fields.String(required=True, metadata=_UUID)
    path = fields.String(required=True, allow_none=True, metadata={**PATH, "description": "Null for none."})
    version = fields.Integer(required=True, attribute="current", metadata=_CURRENT)
    labels = fields.Function(
        lambda secret: dict(secret.labels),
        required=True,
        metadata={**LABELS, "type": "object", "additionalProperties": {"type": "string"}},
    )
    created_at = _moment()
    updated_at = _moment("The last change; null where there was none.")
    expires_at = _moment()
    deleted_at = _moment()
    reads_left = fields.Integer(allow_none=True)


class SecretDescription(ChangedResponse):
    """Everything about a secret but its values."""

    path = fields.String(required=True, allow_none=True, metadata={**PATH, "description": "Null for none."})
    labels = fields.Dict(keys=fields.String(), values=fields.String(), required=True, metadata=LABELS)
    created_at = _moment()
    created_by = _actor("Who created it")
    updated_at = _moment("The last change; null where there was none.")
    expires_at = _moment()
    deleted_at = _moment()
    deleted_by = _actor("Who deleted it")
    max_reads = fields.Integer(allow_none=True)
    reads_left = fields.Integer(allow_none=True)
    read_at = _moment("The last read, where reads are limited.")
    read_from = fields.String(allow_none=True, metadata={"description": "The address it went to."})
    read_by = _actor("Who read it")
    max_versions = fields.Integer(required=True)
    cas_required = fields.Boolean(required=True)
    delete_version_after = fields.Integer(allow_none=True, metadata={"description": "In seconds."})
    versions = fields.List(fields.Nested(VersionDescription), required=True)


class ListResponse(Schema):
    """A page of secrets and, where one level is listed, of folders."""

    secrets = fields.List(fields.Nested(SecretSummary), required=True)
    folders = fields.List(fields.String(), required=True, metadata={"example": ["team/app/"]})
    cursor = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "What to send for the next page; null where there is none."},
    )


def described(secret: Secret, at: datetime) -> dict[str, Any]:
    """Return a secret as it is shown, with the states that it and its versions are in at that time."""
    return asdict(secret) | {
        "version": secret.current,
        "labels": dict(secret.labels),
        "state": state.of(secret, at),
        "ends_at": ends_at(secret),
        "versions": [
            asdict(version) | {"state": state.of_version(version, at)} for version in secret.versions
        ],
    }
