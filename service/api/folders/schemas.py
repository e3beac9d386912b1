"""Bodies of requests and responses about folders; the OpenAPI document is generated from these."""

from __future__ import annotations

from typing import Any, cast

from marshmallow import Schema, fields, post_load

from ...access import paths
from ...secrets.options import MAX_KEPT_VERSIONS, SecretOptions
from ..fields import count, flag, seconds

_PREFIX = {
    "description": "The folder's path, with or without a slash at the end; the empty string is all paths.",
    "example": "team/",
}


class FolderRequest(Schema):
    """A folder, by its path."""

    prefix = fields.String(required=True, metadata=_PREFIX)

    @post_load
    def _build(self, data: dict[str, Any], **_: object) -> str:
        return paths.folder(data["prefix"])


class FolderOptionsRequest(Schema):
    """What to set; an absent option is unchanged."""

    prefix = fields.String(required=True, metadata=_PREFIX)
    max_versions = count(
        0,
        MAX_KEPT_VERSIONS,
        metadata={"description": "How many versions are kept at least. 0 is the service's default, 10."},
    )
    cas_required = flag("Whether every update with a value must have an expected_version.")
    delete_version_after = seconds(
        "Seconds after which each new version is deleted automatically, unless the secret's own are fewer.",
        2_592_000,
    )

    @post_load
    def _build(self, data: dict[str, Any], **_: object) -> tuple[str, SecretOptions]:
        prefix = paths.folder(data.pop("prefix"))
        return prefix, cast(SecretOptions, data)


class FolderResponse(Schema):
    """The options of a folder itself, not those of the folders that it is in."""

    max_versions = fields.Integer(required=True, metadata={"description": "0 is the service's default, 10."})
    cas_required = fields.Boolean(required=True)
    delete_version_after = fields.Integer(
        required=True, allow_none=True, metadata={"description": "In seconds."}
    )
