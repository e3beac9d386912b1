"""The documentation of a view's errors in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from .. import errors
from . import problems
from .blueprint import JsonBlueprint
from .common_schemas import Problem

View = TypeVar("View", bound=Callable[..., Any])


# The errors of every call that has a JSON body and requires authentication.
COMMON_ERRORS: dict[HTTPStatus, errors.VaultError] = {
    HTTPStatus.BAD_REQUEST: errors.MalformedJson("the body is not a JSON document"),
    HTTPStatus.UNAUTHORIZED: errors.NoToken(),
    HTTPStatus.FORBIDDEN: errors.Forbidden("the token lacks a scope for this: token"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: errors.TooLarge(
        "the body must be shorter than 764588 bytes (see MAX_SECRET_BYTES)"
    ),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: errors.NotJson(
        "send the body as JSON, with the header Content-Type: application/json"
    ),
    HTTPStatus.UNPROCESSABLE_ENTITY: errors.InvalidFields({"path": ["Not a valid string."]}),
    HTTPStatus.TOO_MANY_REQUESTS: errors.TooManyRequests(
        "too many failed attempts: 30 per minute are allowed; wait as long as Retry-After says", 60
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: errors.Tampered("does not authenticate"),
    HTTPStatus.SERVICE_UNAVAILABLE: errors.AuditUnavailable(
        "the audit log cannot be written: the database cannot be used now: ServerSelectionTimeoutError"
    ),
}

INVALID_BASE64 = (
    "invalid base64: the standard alphabet with padding and no line breaks is expected (base64 -w0)"
)


def documents_errors(
    blueprint: JsonBlueprint, examples: Mapping[HTTPStatus, errors.VaultError]
) -> Callable[[View], View]:
    """Document a view's problem documents, with an example error for each status."""

    def decorate(view: View) -> View:
        for status, error in examples.items():
            view = blueprint.alt_response(
                status.value,
                schema=Problem,
                content_type=problems.CONTENT_TYPE,
                example=problems.example(error),
            )(view)
        return view

    return decorate
