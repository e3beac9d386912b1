"""``/vault/folder``: options for all secrets in a folder that do not set them; mounts show them as theirs."""

from __future__ import annotations

from http import HTTPStatus

from ...errors import Forbidden
from ...records import Defaults
from ...secrets import folders
from ...secrets.options import SecretOptions
from ..blueprint import JsonBlueprint
from ..dependencies import dependencies
from ..error_docs import COMMON_ERRORS, documents_errors
from ..guard import Call, guarded
from . import schemas

blueprint = JsonBlueprint(
    "folders", __name__, url_prefix="/vault/folder", description="Options for all secrets in a folder."
)

_FOLDER = {"max_versions": 20, "cas_required": True, "delete_version_after": None}


@blueprint.post("/describe")
@guarded(blueprint, "folder_describe")
@blueprint.arguments(schemas.FolderRequest(), example={"prefix": "team/"})
@blueprint.response(200, schemas.FolderResponse, example=_FOLDER)
@documents_errors(
    blueprint,
    {
        **COMMON_ERRORS,
        HTTPStatus.FORBIDDEN: Forbidden("the token lacks a scope for any path in this folder"),
    },
)
def describe(call: Call, folder: str) -> Defaults:
    """Return the options of a folder itself; needs any scope on a path in it."""
    with dependencies().request_deadline():
        return folders.describe(dependencies().secrets, call.entry, call.principal, folder)


@blueprint.post("/configure")
@guarded(blueprint, "folder_configure")
@blueprint.arguments(
    schemas.FolderOptionsRequest(), example={"prefix": "team/", "max_versions": 20, "cas_required": True}
)
@blueprint.response(200, schemas.FolderResponse, example=_FOLDER)
@documents_errors(
    blueprint,
    {**COMMON_ERRORS, HTTPStatus.FORBIDDEN: Forbidden("the token lacks a scope for this: admin")},
)
def configure(call: Call, request: tuple[str, SecretOptions]) -> Defaults:
    """Set options for all secrets in a folder that do not set them; for administrators.

    Of the folders that a secret is in, the nearest with options counts. The secret keeps the larger number
    of versions and the shorter time of its own and the folder's. The response takes a second: from then on
    every replica keeps to it.
    """
    folder, options = request
    with dependencies().request_deadline():
        return folders.configure(dependencies().secrets, call.entry, call.principal, folder, options)
