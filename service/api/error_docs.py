"""The documentation of a view's errors in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from flask_smorest import Blueprint

from . import problems
from .common_schemas import Problem

View = TypeVar("View", bound=Callable[..., Any])


# The errors of every call that has a JSON body and requires authentication.
COMMON_ERRORS = {
    HTTPStatus.BAD_REQUEST: "the body is not a JSON document",
    HTTPStatus.UNAUTHORIZED: "send a token, with the header Authorization: Bearer <token>",
    HTTPStatus.FORBIDDEN: "the token lacks a scope for this: token",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the body must be shorter than 152920 bytes",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: (
        "send the body as JSON, with the header Content-Type: application/json"
    ),
    HTTPStatus.UNPROCESSABLE_ENTITY: "the request does not fit the schema; see errors",
    HTTPStatus.TOO_MANY_REQUESTS: (
        "too many failed attempts: 30 per minute are allowed; wait as long as Retry-After says"
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: "the record cannot be opened: does not authenticate",
    HTTPStatus.SERVICE_UNAVAILABLE: (
        "the audit log cannot be written: the database cannot be used now: ServerSelectionTimeoutError"
    ),
}

INVALID_BASE64 = (
    "invalid base64: the standard alphabet with padding and no line breaks is expected (base64 -w0)"
)


def documents_errors(blueprint: Blueprint, examples: dict[HTTPStatus, str]) -> Callable[[View], View]:
    """Document a view's problem documents, with an example of ``detail`` for each status."""

    def decorate(view: View) -> View:
        documented: Any = view
        for status, detail in examples.items():
            documented = blueprint.alt_response(
                status.value,
                schema=Problem,
                content_type=problems.CONTENT_TYPE,
                example={
                    "type": "about:blank",
                    "title": status.phrase,
                    "status": status.value,
                    "detail": detail,
                    "request_id": "5f0c7e0a4d5b4c0f8a35b1a8e3f1c2d4",
                },
            )(documented)
        # Each alt_response wraps the view in a function that only calls it; return the view itself, which
        # saves up to ten calls per request.
        view._apidoc = documented._apidoc  # type: ignore[attr-defined]  # flask-smorest's own mark
        return view

    return decorate
