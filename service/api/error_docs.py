"""How a view's errors are documented."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from flask_smorest import Blueprint

from .. import errors
from . import problems
from .common_schemas import Problem

View = TypeVar("View", bound=Callable[..., Any])


# What can happen to every call that takes a JSON body and asks who sends it.
COMMON_ERRORS: dict[HTTPStatus, errors.VaultError] = {
    HTTPStatus.BAD_REQUEST: errors.MalformedJson("the body is not a JSON document"),
    HTTPStatus.UNAUTHORIZED: errors.NoToken(),
    HTTPStatus.FORBIDDEN: errors.Forbidden("the token lacks a scope for this: token"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: errors.TooLarge("the body must be shorter than 152920 bytes"),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: errors.NotJson(
        "send the body as JSON, with the header Content-Type: application/json"
    ),
    HTTPStatus.UNPROCESSABLE_ENTITY: errors.InvalidFields({"path": ["Not a valid string."]}),
    HTTPStatus.TOO_MANY_REQUESTS: errors.TooManyRequests(
        "too many failed attempts: 30 per minute are allowed; wait as long as Retry-After says", 60
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: errors.Tampered("does not authenticate"),
    HTTPStatus.SERVICE_UNAVAILABLE: errors.AuditUnavailable("the audit log cannot be written"),
}


def documents_errors(
    blueprint: Blueprint, examples: Mapping[HTTPStatus, errors.VaultError]
) -> Callable[[View], View]:
    """Document a view's problem documents: for each status an error that is answered with it."""

    def decorate(view: View) -> View:
        documented: Any = view
        for status, error in examples.items():
            documented = blueprint.alt_response(
                status.value,
                schema=Problem,
                content_type=problems.CONTENT_TYPE,
                example=problems.example(error),
            )(documented)
        # What was wrapped around the view does nothing but call it; a call has no time for ten of these.
        view._apidoc = documented._apidoc  # type: ignore[attr-defined]  # flask-smorest's own mark
        return view

    return decorate
