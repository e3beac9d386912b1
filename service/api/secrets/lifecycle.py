"""``/vault/secret``: update, describe, list, delete, undelete and destroy."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from http import HTTPStatus
from typing import Any

from ...approles.names import names
from ...errors import Forbidden, InvalidBase64, SecretInUse, SecretNotFound, TooLarge, VersionConflict
from ...records import Secret
from ...secrets import defaults, listing, modify, read, usage
from ...secrets.listing import Listing, ListQuery
from ...secrets.modify import UpdateSecret
from ...store.secret_queries import SecretRef
from ...tokens.reach import Reach, reach
from ..blueprint import JsonBlueprint
from ..dependencies import dependencies
from ..error_docs import COMMON_ERRORS, INVALID_BASE64, documents_errors
from ..fields import EXAMPLE_ID, EXAMPLE_PATH, EXAMPLE_SECRET, EXAMPLE_TIME
from ..guard import Call, guarded
from .requests import (
    AccessRequest,
    DescribeRequest,
    DestroyRequest,
    ListRequest,
    UpdateRequest,
    VersionsRequest,
)
from .responses import AccessResponse, ChangedResponse, ListResponse, SecretDescription, describe_secret

blueprint = JsonBlueprint(
    "lifecycle", __name__, url_prefix="/vault/secret", description="The lifecycle of a secret."
)

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
    "inherited": ["max_versions"],
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
    "in_use": [{"service": "billing_api", "version": 1, "delivered_at": EXAMPLE_TIME}],
    "warnings": [],
}
_BY_NAME = {**COMMON_ERRORS, HTTPStatus.NOT_FOUND: SecretNotFound()}
_IN_USE = SecretInUse([f"version 1 was delivered to service billing_api at {EXAMPLE_TIME}"])
_WHICH = {
    "whole secret": {"value": {"path": EXAMPLE_PATH}},
    "single versions": {"value": {"path": EXAMPLE_PATH, "versions": [1, 2]}},
}


@blueprint.post("/update")
@guarded(blueprint, "update")
@blueprint.arguments(
    UpdateRequest(),
    examples={
        "new value": {"value": {"path": EXAMPLE_PATH, "secret": EXAMPLE_SECRET, "expected_version": 1}},
        "new path": {"value": {"secret_id": EXAMPLE_ID, "new_path": EXAMPLE_PATH}},
        "no expiry": {"value": {"path": EXAMPLE_PATH, "expires_at": None}},
    },
)
@blueprint.response(200, ChangedResponse, example=_CHANGED)
@documents_errors(
    blueprint,
    {
        **_BY_NAME,
        HTTPStatus.BAD_REQUEST: InvalidBase64(INVALID_BASE64),
        HTTPStatus.FORBIDDEN: Forbidden("the token lacks a scope for this path: create:team/app/db-password"),
        HTTPStatus.CONFLICT: VersionConflict(2),
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: TooLarge(
            "a secret may have up to 524288 bytes (MAX_SECRET_BYTES)"
        ),
    },
)
def update(call: Call, request: tuple[SecretRef, UpdateSecret]) -> dict[str, Any]:
    """Give a secret a new value (as a new version), a new path or new settings.

    The update is atomic. Of two concurrent updates, both add a version; with expected_version, one of them
    gets a 409 with the current version. After a 503 the update may have been made: use describe to check.
    """
    ref, change = request
    with dependencies().request_deadline():
        return _response(modify.update(dependencies().secrets, call.entry, call.principal, ref, change))


@blueprint.post("/describe")
@guarded(blueprint, "describe")
@blueprint.arguments(DescribeRequest(), example={"path": EXAMPLE_PATH})
@blueprint.response(200, SecretDescription, example=_DESCRIBED)
@documents_errors(blueprint, _BY_NAME)
def describe(call: Call, request: tuple[SecretRef, bool]) -> dict[str, Any]:
    """Return everything about a secret but its values; needs the scope `list`, and uses up no read."""
    services, (ref, with_names) = dependencies().secrets, request
    with dependencies().request_deadline():
        secret = read.describe(services, call.entry, call.principal, ref)
        uses = usage.in_use(services, secret)
        named = {"names": names(dependencies().approles, _actors(secret))} if with_names else {}
        of_folder = services.defaults_of(secret.path)
    applied = defaults.applied(secret, of_folder)
    warnings = usage.warnings(secret, uses, services.clock(), applied.max_versions)
    return (
        _response(secret)
        | asdict(applied)
        | {
            "inherited": defaults.inherited(secret, of_folder),
            "in_use": uses,
            "warnings": warnings,
        }
        | named
    )


@blueprint.post("/access")
@guarded(blueprint, "access")
@blueprint.arguments(AccessRequest(), example={"path": EXAMPLE_PATH})
@blueprint.response(
    200,
    AccessResponse,
    example={
        "tokens": [
            {
                "token_id": _ACTOR,
                "name": "billing",
                "actions": ["fetch"],
                "through": "fetch:team/app/*",
                "expires_at": None,
            }
        ],
        "complete": True,
    },
)
@documents_errors(blueprint, COMMON_ERRORS)
def access(call: Call, body: dict[str, Any]) -> Reach:
    """Return the tokens whose scopes cover a path, with or without a secret; needs `list` on the path.

    A token is there once for each of its scopes that does. Callers without admin see their own token and
    those that descend from it. A session reaches what its token does, and a Swarm service what grants let it.
    """
    with dependencies().request_deadline():
        return reach(dependencies().tokens, call.entry, call.principal, body["path"])


@blueprint.post("/list")
@guarded(blueprint, "list")
@blueprint.arguments(
    ListRequest(),
    examples={
        "everything below a path": {"value": {"prefix": "team/", "labels": {"env": "prod"}}},
        "one level": {"value": {"prefix": "team/", "recursive": False}},
    },
)
@blueprint.response(
    200,
    ListResponse,
    example={"secrets": [_SUMMARY], "folders": ["team/app/more/"], "altered": [], "cursor": None},
)
@documents_errors(
    blueprint, {**COMMON_ERRORS, HTTPStatus.FORBIDDEN: Forbidden("the token lacks a scope for this: list")}
)
def list_(call: Call, query: ListQuery) -> Listing:
    """List the secrets that the token's `list` scopes cover, sorted by path, without values.

    If there is a cursor, there are more pages; the last page may be empty. The cost of a page does not
    depend on the number of secrets.
    """
    with dependencies().request_deadline():
        return listing.list_(dependencies().secrets, call.entry, call.principal, query)


@blueprint.post("/delete")
@guarded(blueprint, "delete")
@blueprint.arguments(VersionsRequest(), examples=_WHICH)
@blueprint.response(200, ChangedResponse, example=_DELETED)
@documents_errors(blueprint, _BY_NAME)
def delete(call: Call, request: tuple[SecretRef, frozenset[int]]) -> dict[str, Any]:
    """Delete a secret, or versions of it; undelete restores them.

    A deleted secret keeps its path, and can be restored for 30 days or until it expires.
    """
    return _change(modify.delete, call, request)


@blueprint.post("/undelete")
@guarded(blueprint, "undelete")
@blueprint.arguments(VersionsRequest(), examples=_WHICH)
@blueprint.response(200, ChangedResponse, example=_CHANGED)
@documents_errors(blueprint, _BY_NAME)
def undelete(call: Call, request: tuple[SecretRef, frozenset[int]]) -> dict[str, Any]:
    """Restore a deleted secret, or deleted versions of it; needs the scope `delete`."""
    return _change(modify.undelete, call, request)


@blueprint.post("/destroy")
@guarded(blueprint, "destroy")
@blueprint.arguments(DestroyRequest(), examples=_WHICH)
@blueprint.response(200, ChangedResponse, example={**_DELETED, "state": "destroyed"})
@documents_errors(blueprint, {**_BY_NAME, HTTPStatus.CONFLICT: _IN_USE})
def destroy(call: Call, request: tuple[SecretRef, frozenset[int], bool]) -> dict[str, Any]:
    """Remove the values of a secret, or of versions of it, permanently; needs the scope `delete`.

    Only a backup can restore them. The path is free again. For 30 days a 404 says when and by whom the secret
    was destroyed, to callers whose scopes cover it. What Swarm services are known to use is destroyed only
    with in_use.
    """
    ref, versions, in_use = request
    return _change(partial(modify.destroy, in_use=in_use), call, (ref, versions))


def _change(change: Any, call: Call, request: tuple[SecretRef, frozenset[int]]) -> dict[str, Any]:
    ref, versions = request
    with dependencies().request_deadline():
        return _response(change(dependencies().secrets, call.entry, call.principal, ref, versions))


def _response(secret: Secret) -> dict[str, Any]:
    return describe_secret(secret, dependencies().secrets.clock())


def _actors(secret: Secret) -> list[str | None]:
    """Return who did something to a secret, as its description names them."""
    of_versions = (
        actor for each in secret.versions for actor in (each.created_by, each.deleted_by, each.destroyed_by)
    )
    return [secret.created_by, secret.deleted_by, secret.read_by, *of_versions]
