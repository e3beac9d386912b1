"""Bodies of requests and responses about grants; the OpenAPI document is generated from these."""

from __future__ import annotations

from marshmallow import Schema, fields, post_load, validate

from ...grants.rules import GrantRequest
from ..fields import next_page

_MAX_ITEMS = 100
_GRANT_ID = {"description": "The grant's id.", "example": "7c9d1e2f400f3a5b"}


def _list(description: str, example: str, *, required: bool = False) -> fields.List[str]:
    return fields.List(
        fields.String(),
        required=required,
        validate=validate.Length(min=1, max=_MAX_ITEMS),
        metadata={"description": description, "example": [example]},
    )


class GrantCreateRequest(Schema):
    """A grant to create: all of its conditions must hold."""

    services = _list(
        "The Swarm services: names, or the beginnings of names followed by `*`.", "billing_*", required=True
    )
    paths = _list("The secrets they may be given: paths, `folder/*` or `*`.", "team/billing/*", required=True)
    nodes = _list("Only tasks on these nodes, by id.", "p0s9d8f7g6h5j4k3l2m1n0b9v")
    images = _list(
        "Only tasks of these images, with digest, as the services have them.",
        "billing:1.2@sha256:" + 8 * "0f3a5b7c",
    )

    @post_load
    def _build(self, data: dict[str, list[str]], **_: object) -> GrantRequest:
        return GrantRequest(**{name: tuple(texts) for name, texts in data.items()})


class GrantNameRequest(Schema):
    """A grant, by its id."""

    grant_id = fields.String(required=True, metadata=_GRANT_ID)


class GrantListRequest(Schema):
    """Which page to list."""

    after = fields.String(
        validate=validate.Regexp(r"[0-9a-f]{16}\Z", error="invalid: pass `next` of the previous page"),
        metadata={"description": "`next` of the previous page.", "pattern": "^[0-9a-f]{16}$"},
    )


class GrantResponse(Schema):
    """A grant."""

    grant_id = fields.String(required=True, metadata=_GRANT_ID)
    services = fields.List(fields.String(), required=True)
    paths = fields.List(fields.String(), required=True)
    nodes = fields.List(fields.String(), required=True, metadata={"description": "Empty for any node."})
    images = fields.List(fields.String(), required=True, metadata={"description": "Empty for any image."})
    created_at = fields.AwareDateTime(required=True)
    created_by = fields.String(
        required=True,
        metadata={
            "description": "A token's id, `operator` (a command), or `anonymous` (without authentication)."
        },
    )
    deleted_at = fields.AwareDateTime(required=True, allow_none=True)
    deleted_by = fields.String(required=True, allow_none=True)


class GrantListResponse(Schema):
    """A page of grants."""

    grants = fields.List(fields.Nested(GrantResponse), required=True)
    altered = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "The ids of grants whose record does not authenticate; they grant nothing."},
    )
    next = next_page()


class GrantDeleteResponse(Schema):
    """The deleted grant."""

    deleted = fields.String(required=True, metadata=_GRANT_ID)
