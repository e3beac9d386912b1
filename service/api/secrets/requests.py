"""The bodies of requests about secrets; the OpenAPI document is made of these."""

from __future__ import annotations

from collections.abc import Mapping

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from ...secrets import generate as generation
from ...secrets import listing
from ..fields import ID, PATH, SECRET, VERSION, Text, count, flag, labels, moment, seconds

MOST_IN_BATCH = 100
_MOST_VERSIONS = 100


class Generate(Schema):
    """How the service makes the value, so that nobody has to see it."""

    length = count(1, generation.MOST_CHARACTERS, metadata={"description": "Characters; 32 without it."})
    alphabet = fields.String(
        validate=validate.OneOf(list(generation.ALPHABETS)),
        metadata={"description": "Which characters; alphanumeric without it."},
    )
    characters = Text(
        validate=[validate.Length(2, 256), lambda characters: _require_each_once(characters)],
        metadata={"description": "Which characters instead of an alphabet: each once, at least two."},
    )

    @validates_schema
    def _require_one_alphabet(self, data: Mapping[str, object], **_: object) -> None:
        _require_at_most_one(data, "alphabet", "characters")


class Settings(Schema):
    """What can be set with a secret and changed later."""

    labels = labels()
    expires_in = seconds("Seconds until the secret ends; null for no end.", 86_400)
    expires_at = moment("When the secret ends; null for no end.")
    version_expires_in = seconds(
        "Seconds until the version ends that comes with it, or the current one.", 3600
    )
    version_expires_at = moment("When the version ends that comes with it, or the current one.")
    max_reads = count(
        1,
        allow_none=True,
        metadata={"description": "After so many fetches from now on the secret is destroyed.", "example": 1},
    )
    max_versions = count(
        1,
        _MOST_VERSIONS,
        metadata={"description": "How many versions are kept; older ones are destroyed. 10 without it."},
    )
    cas_required = flag("Whether an update with a value must say which version it expects.")
    delete_version_after = seconds("Seconds after which each new version is deleted by itself.", 2_592_000)

    @validates_schema
    def _require_one_end(self, data: Mapping[str, object], **_: object) -> None:
        _require_at_most_one(data, "expires_in", "expires_at")
        _require_at_most_one(data, "version_expires_in", "version_expires_at")


class CreateRequest(Settings):
    """A value to keep: given as ``secret``, or made as ``generate`` says."""

    secret = fields.String(metadata=SECRET)
    generate = fields.Nested(Generate)
    path = fields.String(metadata=PATH)

    @validates_schema
    def _require_one_value(self, data: Mapping[str, object], **_: object) -> None:
        if ("secret" in data) == ("generate" in data):
            raise ValidationError({"secret": ["give the value as secret, or let generate make one"]})


class CreateBatchRequest(Schema):
    """Values to keep."""

    secrets = fields.List(
        fields.Nested(CreateRequest), required=True, validate=validate.Length(1, MOST_IN_BATCH)
    )
    all_or_nothing = flag("Whether nothing is stored where one cannot be.")


class Name(Schema):
    """Which secret: its id or its path."""

    secret_id = fields.UUID(metadata=ID)
    path = fields.String(metadata=PATH)

    @validates_schema
    def _require_one_name(self, data: Mapping[str, object], **_: object) -> None:
        if ("secret_id" in data) == ("path" in data):
            raise ValidationError("name the secret by secret_id or by path, by one of them")


class FetchRequest(Name):
    """Which secret, and which version of it: without one the current one."""

    version = count(1, metadata=VERSION)


class FetchBatchRequest(Schema):
    """Which secrets to return."""

    secrets = fields.List(
        fields.Nested(FetchRequest), required=True, validate=validate.Length(1, MOST_IN_BATCH)
    )
    all_or_nothing = flag("Whether no value is returned, and no read used up, where one cannot be had.")


class UpdateRequest(Name, Settings):
    """Which secret, and what to change: a value adds a version, and null takes a setting away."""

    secret = fields.String(metadata=SECRET)
    generate = fields.Nested(Generate)
    expected_version = count(
        0,
        metadata={
            "description": "Change it only if this is the current version; 0, with a path and a value: only"
            " if there is no such secret, which is created then."
        },
    )
    new_path = fields.String(metadata={**PATH, "description": "Where it is from now on."})

    @validates_schema
    def _require_one_value(self, data: Mapping[str, object], **_: object) -> None:
        _require_at_most_one(data, "secret", "generate")


class VersionsRequest(Name):
    """Which secret, wholly, or which versions of it."""

    versions = fields.List(
        count(1),
        validate=validate.Length(1, _MOST_VERSIONS),
        metadata={"description": "Only these; without them the whole secret.", "example": [1]},
    )


class ListRequest(Schema):
    """What to list."""

    prefix = fields.String(
        metadata={
            "description": "Only paths that begin with this: a path, or one with a slash behind it.",
            "example": "team/app/",
        }
    )
    labels = labels()
    recursive = flag("False for one level: what has a slash behind the prefix is a folder. True without it.")
    deleted = flag("True for those that were deleted and can be brought back, and only those.")
    unnamed = flag("True for those with no path: your token's own, or all for administrators.")
    cursor = fields.String(metadata={"description": "`cursor` of the answer before."})
    limit = count(1, listing.MOST, metadata={"description": "Entries per page; 100 without it."})

    @validates_schema
    def _require_sense(self, data: Mapping[str, object], **_: object) -> None:
        if data.get("unnamed") and "prefix" in data:
            raise ValidationError({"prefix": ["secrets with no path have no prefix: leave one of them out"]})


def _require_each_once(characters: str) -> None:
    if len(set(characters)) != len(characters):
        raise ValidationError("write each character once")


def _require_at_most_one(data: Mapping[str, object], one: str, other: str) -> None:
    if one in data and other in data:
        raise ValidationError({other: [f"give {one} or {other}, not both"]})
