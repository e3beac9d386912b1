"""``/vault/secret``: what becomes of a secret after it was created."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask_smorest import Blueprint

from ...records import Secret
from ...secrets import listing, modify, read
from ...secrets.listing import Listing, ListQuery
from ...secrets.modify import UpdateSecret
from ...store.secret_queries import SecretRef
from ..dependencies import dependencies
from ..error_docs import COMMON_ERRORS, documents_errors
from ..fields import EXAMPLE_ID, EXAMPLE_PATH, EXAMPLE_SECRET, EXAMPLE_TIME
from ..guard import Call, guarded
from ..json_body import BodyParser
from .requests import ListRequest, Name, UpdateRequest, VersionsRequest
from .responses import ChangedResponse, ListResponse, SecretDescription, described

blueprint = Blueprint("life", __name__, url_prefix="/vault/secret", description="The life of a secret.")
blueprint.ARGUMENTS_PARSER = BodyParser()

_ACTOR = "0f3a5b7c9d1e2f40"
_CHANGED = {"secret_id": EXAMPLE_ID, "version": 2, "state": "live", "ends_at": None}
_DELETED = {"secret_id": EXAMPLE_ID, "version": 2, "state": "deleted", "ends_at": EXAMPLE_TIME}
_SUMMARY = {
    "secret_id": EXAMPLE_ID,
    "path": EXAMPLE_PATH,
    "version": 1,
    "labels": {"env": "prod"},
    "created_at": EXAMPLE_TIME,
    "updated_at": None,
    "expires_at": None,
    "deleted_at": None,
    "reads_left": None,
}
_DESCRIBED = {
    "secret_id": EXAMPLE_ID,
    "version": 1,
    "state": "live",
    "ends_at": None,
    "path": EXAMPLE_PATH,
    "labels": {"env": "prod"},
    "created_at": EXAMPLE_TIME,
    "created_by": _ACTOR,
    "updated_at": None,
    "expires_at": None,
    "deleted_at": None,
    "deleted_by": None,
    "max_reads": None,
    "reads_left": None,
    "read_at": None,
    "read_from": None,
    "read_by": None,
    "max_versions": 10,
    "cas_required": False,
    "delete_version_after": None,
    "versions": [
        {
            "version": 1,
            "state": "live",
            "created_at": EXAMPLE_TIME,
            "created_by": _ACTOR,
            "expires_at": None,
            "deleted_at": None,
            "deleted_by": None,
            "destroyed_at": None,
            "destroyed_by": None,
        }
    ],
}
_BY_NAME = {**COMMON_ERRORS, HTTPStatus.NOT_FOUND: "Secret not found"}
_WHICH = {
    "the secret": {"value": {"path": EXAMPLE_PATH}},
    "versions of it": {"value": {"path": EXAMPLE_PATH, "versions": [1, 2]}},
}


@blueprint.post("/update")
@guarded(blueprint, "update")
@blueprint.arguments(
    UpdateRequest(),
    examples={
        "another value": {"value": {"path": EXAMPLE_PATH, "secret": EXAMPLE_SECRET, "expected_version": 1}},
        "another path": {"value": {"secret_id": EXAMPLE_ID, "new_path": EXAMPLE_PATH}},
        "no end any more": {"value": {"path": EXAMPLE_PATH, "expires_at": None}},
    },
)
@blueprint.response(200, ChangedResponse, example=_CHANGED)
@documents_errors(
    blueprint,
    {
        **_BY_NAME,
        HTTPStatus.BAD_REQUEST: "invalid base64: the standard alphabet with padding is expected",
        HTTPStatus.FORBIDDEN: "the token lacks a scope for this path: create:team/app/db-password",
        HTTPStatus.CONFLICT: "the secret is at version 2: fetch that, and expect it in the next attempt",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "a secret may have up to 65536 bytes",
    },
)
def update(call: Call, request: tuple[SecretRef, UpdateSecret]) -> dict[str, Any]:
    """Give a secret another value, as a new version, another path or other settings.

    All of it is done or nothing. Two updates at once both add their version; with expected_version one
    of them gets a 409 with the current version. After a 503 it may have been done: describe tells.
    """
    ref, change = request
    with dependencies().request_deadline():
        return _described(modify.update(dependencies().secrets, call.entry, call.principal, ref, change))


@blueprint.post("/describe")
@guarded(blueprint, "describe")
@blueprint.arguments(Name(), example={"path": EXAMPLE_PATH})
@blueprint.response(200, SecretDescription, example=_DESCRIBED)
@documents_errors(blueprint, _BY_NAME)
def describe(call: Call, ref: SecretRef) -> dict[str, Any]:
    """Tell everything about a secret but its values; it takes the scope `list`, and is no read."""
    with dependencies().request_deadline():
        return _described(read.describe(dependencies().secrets, call.entry, call.principal, ref))


@blueprint.post("/list")
@guarded(blueprint, "list")
@blueprint.arguments(
    ListRequest(),
    examples={
        "everything below": {"value": {"prefix": "team/", "labels": {"env": "prod"}}},
        "one level": {"value": {"prefix": "team/", "recursive": False}},
    },
)
@blueprint.response(
    200, ListResponse, example={"secrets": [_SUMMARY], "folders": ["team/app/more/"], "cursor": None}
)
@documents_errors(
    blueprint, {**COMMON_ERRORS, HTTPStatus.FORBIDDEN: "the token lacks a scope for this: list"}
)
def list_(call: Call, query: ListQuery) -> Listing:
    """List secrets in the order of their paths, as far as the token's `list` scopes reach.

    Values are not among them. A page costs the same however many secrets there are; there are more as
    long as there is a cursor, and the last page may be empty.
    """
    with dependencies().request_deadline():
        return listing.list_(dependencies().secrets, call.entry, call.principal, query)


@blueprint.post("/delete")
@guarded(blueprint, "delete")
@blueprint.arguments(VersionsRequest(), examples=_WHICH)
@blueprint.response(200, ChangedResponse, example=_DELETED)
@documents_errors(blueprint, _BY_NAME)
def delete(call: Call, request: tuple[SecretRef, frozenset[int]]) -> dict[str, Any]:
    """Hide a secret, or versions of it; undelete brings them back.

    A secret keeps its path, and is there for 30 days, or until it ends anyway.
    """
    return _change(modify.delete, call, request)


@blueprint.post("/undelete")
@guarded(blueprint, "undelete")
@blueprint.arguments(VersionsRequest(), examples=_WHICH)
@blueprint.response(200, ChangedResponse, example=_CHANGED)
@documents_errors(blueprint, _BY_NAME)
def undelete(call: Call, request: tuple[SecretRef, frozenset[int]]) -> dict[str, Any]:
    """Bring back a secret, or versions of it, that were deleted; it takes the scope `delete`."""
    return _change(modify.undelete, call, request)


@blueprint.post("/destroy")
@guarded(blueprint, "destroy")
@blueprint.arguments(VersionsRequest(), examples=_WHICH)
@blueprint.response(200, ChangedResponse, example={**_DELETED, "state": "destroyed"})
@documents_errors(blueprint, _BY_NAME)
def destroy(call: Call, request: tuple[SecretRef, frozenset[int]]) -> dict[str, Any]:
    """Remove the values of a secret, or of versions of it, for good; it takes the scope `delete`.

    Nothing brings them back but a backup. The path is free again; for 30 days a 404 tells, to whoever
    may know, when the secret was destroyed and by whom.
    """
    return _change(modify.destroy, call, request)


def _change(change: Any, call: Call, request: tuple[SecretRef, frozenset[int]]) -> dict[str, Any]:
    ref, versions = request
    with dependencies().request_deadline():
        return _described(change(dependencies().secrets, call.entry, call.principal, ref, versions))


def _described(secret: Secret) -> dict[str, Any]:
    return described(secret, dependencies().secrets.clock())
