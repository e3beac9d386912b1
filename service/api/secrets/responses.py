"""Bodies of responses about secrets; the OpenAPI document is generated from these."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from marshmallow import Schema, fields

from ...records import FetchedSecret, Secret, State, ends_at
from ...secrets import state
from ..fields import EXAMPLE_TIME, ID, LABELS, PATH, SECRET, VERSION, Base64Bytes, actor_names

_UUID = {**ID, "format": "uuid"}
_STATES = {"enum": list(State)}
_CURRENT = {
    "description": "The current version; numbers are never reused. 0 if the secret has no value yet.",
    "example": 1,
    "minimum": 0,
}
_ENDS = {"description": "When the secret is removed; null if it has no end.", "example": EXAMPLE_TIME}
_UPDATED = "When it was last changed; null if never."
_NO_PATH = "Null if the secret has no path."


def _moment(description: str | None = None) -> fields.AwareDateTime:
    return fields.AwareDateTime(allow_none=True, metadata={"description": description} if description else {})


def _actor(description: str) -> fields.String:
    return fields.String(
        allow_none=True, metadata={"description": f"{description}: the actor in the audit log."}
    )


class CreateResponse(Schema):
    """The id and version of the stored value."""

    secret_id = fields.String(required=True, metadata=_UUID)
    version = fields.Integer(attribute="current", required=True, metadata=VERSION)


class BatchResponse(Schema):
    """The result for each secret, in the order of the request."""

    secrets = fields.List(
        fields.Dict(
            metadata={
                "description": (
                    "The same as for a single secret, or an error with `status`, `detail` and `type`."
                )
            }
        ),
        required=True,
    )


class FetchResponse(Schema):
    """A value in plaintext."""

    secret_id = fields.String(required=True, metadata=_UUID)
    version = fields.Integer(required=True, metadata=VERSION)
    secret = Base64Bytes(attribute="plaintext", required=True, dump_only=True, metadata=SECRET)
    created_at = fields.AwareDateTime(
        allow_none=True,
        metadata={
            "description": "When this version was stored; null if an earlier implementation stored it.",
            "example": EXAMPLE_TIME,
        },
    )
    path = fields.String(allow_none=True, metadata={**PATH, "description": _NO_PATH})
    expires_at = _moment("Until when it can be fetched; null if it does not expire.")
    reads_left = fields.Integer(
        allow_none=True, metadata={"description": "How many fetches are left; null for no limit."}
    )

    def dump(self, obj: FetchedSecret, **_: object) -> dict[str, Any]:
        """Return what marshmallow would make of it, without its search for each attribute."""
        return {**_value(obj), "reads_left": obj.reads_left}


class DeliverResponse(Schema):
    """A value in plaintext, or for a check all but that."""

    secret_id = fields.String(required=True, metadata=_UUID)
    version = fields.Integer(required=True, metadata=VERSION)
    secret = Base64Bytes(
        attribute="plaintext",
        dump_only=True,
        metadata={**SECRET, "description": f"{SECRET['description']} A check does not return it."},
    )
    created_at = fields.AwareDateTime(allow_none=True, metadata={"example": EXAMPLE_TIME})
    path = fields.String(required=True, metadata=PATH)
    expires_at = _moment("Until when it can be delivered; null if it does not expire.")

    def dump(self, obj: FetchedSecret | Mapping[str, Any], **options: Any) -> Any:
        """Return what marshmallow would make of it, of a value without its search for each attribute."""
        if not isinstance(obj, FetchedSecret):
            return super().dump(obj, **options)
        return _value(obj)


class ChangedResponse(Schema):
    """The secret after the change."""

    secret_id = fields.String(required=True, metadata=_UUID)
    version = fields.Integer(required=True, metadata=_CURRENT)
    state = fields.String(required=True, metadata=_STATES)
    ends_at = fields.AwareDateTime(required=True, allow_none=True, metadata=_ENDS)


class VersionDescription(Schema):
    """A version of a secret."""

    version = fields.Integer(required=True, metadata=VERSION)
    state = fields.String(required=True, metadata=_STATES)
    created_at = _moment()
    created_by = _actor("Who stored the value")
    expires_at = _moment()
    deleted_at = _moment("If it is in the future, the version is deleted automatically then.")
    deleted_by = _actor("Who deleted it")
    destroyed_at = _moment()
    destroyed_by = _actor("Who destroyed it, or the option that did")


class UseDescription(Schema):
    """A version that a Swarm service was given."""

    service = fields.String(required=True, metadata={"example": "billing_api"})
    version = fields.Integer(required=True, metadata=VERSION)
    delivered_at = fields.AwareDateTime(required=True, metadata={"description": "For the last time."})


class SecretSummary(Schema):
    """A secret in a list."""

    secret_id = fields.String(required=True, metadata=_UUID)
    path = fields.String(required=True, allow_none=True, metadata={**PATH, "description": _NO_PATH})
    version = fields.Integer(required=True, attribute="current", metadata=_CURRENT)
    labels = fields.Function(
        lambda secret: dict(secret.labels),
        required=True,
        metadata={**LABELS, "type": "object", "additionalProperties": {"type": "string"}},
    )
    created_at = _moment()
    updated_at = _moment(_UPDATED)
    expires_at = _moment()
    deleted_at = _moment()
    reads_left = fields.Integer(allow_none=True)


class SecretDescription(ChangedResponse):
    """Everything about a secret but its values."""

    path = fields.String(required=True, allow_none=True, metadata={**PATH, "description": _NO_PATH})
    labels = fields.Dict(keys=fields.String(), values=fields.String(), required=True, metadata=LABELS)
    created_at = _moment()
    created_by = _actor("Who created it")
    updated_at = _moment(_UPDATED)
    expires_at = _moment()
    deleted_at = _moment()
    deleted_by = _actor("Who deleted it")
    max_reads = fields.Integer(allow_none=True)
    reads_left = fields.Integer(allow_none=True)
    read_at = _moment("The time of the last read, if reads are limited.")
    read_from = fields.String(
        allow_none=True, metadata={"description": "The client's address at the last read."}
    )
    read_by = _actor("Who last read it")
    max_versions = fields.Integer(required=True)
    cas_required = fields.Boolean(required=True)
    delete_version_after = fields.Integer(allow_none=True, metadata={"description": "In seconds."})
    inherited = fields.List(
        fields.String(),
        required=True,
        metadata={
            "description": "Which of these three settings are not the secret's own, but those of its folder"
            " or of the service."
        },
    )
    versions = fields.List(fields.Nested(VersionDescription), required=True)
    in_use = fields.List(
        fields.Nested(UseDescription),
        required=True,
        metadata={
            "description": "What Swarm services are known to use, by the audit log: of each service the last"
            " two versions that were delivered to it."
        },
    )
    warnings = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "What of that has an end, or will be destroyed by the next value."},
    )
    names = actor_names()


class AccessDescription(Schema):
    """What a token may do at the path, through one of its scopes."""

    token_id = fields.String(required=True)
    name = fields.String(required=True)
    actions = fields.List(fields.String(), required=True, metadata={"example": ["fetch"]})
    through = fields.String(required=True, metadata={"example": "fetch:team/*"})
    expires_at = fields.AwareDateTime(required=True, allow_none=True)


class AccessResponse(Schema):
    """Who reaches a path."""

    tokens = fields.List(fields.Nested(AccessDescription), required=True)
    complete = fields.Boolean(
        required=True,
        metadata={
            "description": "False if there may be others: those that you may not know of, or too many."
        },
    )


class ListResponse(Schema):
    """A page of secrets and, if only one level is listed, of folders."""

    secrets = fields.List(fields.Nested(SecretSummary), required=True)
    folders = fields.List(fields.String(), required=True, metadata={"example": ["team/app/"]})
    altered = fields.List(
        fields.String(),
        required=True,
        metadata={
            "description": "Secrets whose record was altered in the database: their paths, or else their ids."
        },
    )
    cursor = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "For the next page; null on the last page."},
    )


def describe_secret(secret: Secret, at: datetime) -> dict[str, Any]:
    """Return a secret for a response, with the states of it and its versions at that time."""
    return asdict(secret) | {
        "version": secret.current,
        "labels": dict(secret.labels),
        "state": state.of(secret, at),
        "ends_at": ends_at(secret),
        "versions": [
            asdict(version) | {"state": state.of_version(version, at)} for version in secret.versions
        ],
    }


def _value(fetched: FetchedSecret) -> dict[str, Any]:
    """Return what responses with a value have in common."""
    return {
        "secret_id": fetched.secret_id,
        "version": fetched.version,
        "secret": base64.b64encode(fetched.plaintext).decode(),
        "created_at": fetched.created_at and fetched.created_at.isoformat(),
        "path": fetched.path,
        "expires_at": fetched.expires_at and fetched.expires_at.isoformat(),
    }
