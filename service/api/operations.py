"""What every view that touches a secret is wrapped in, and how its errors are documented."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Response
from flask_smorest import Blueprint

from . import problems
from .caller import current_caller
from .schemas import Problem
from .services import services

View = TypeVar("View", bound=Callable[..., Any])


def audited(operation: str) -> Callable[[View], Callable[..., Response]]:
    """Open an audit entry around the view; the view gets the entry first.

    It goes outermost, so that a request that is refused while it is read is recorded as well, and
    so that an answer whose record cannot be written is dropped.
    """

    def decorate(view: View) -> Callable[..., Response]:
        @wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Response:
            with services().recorder.entry(operation, current_caller()) as entry:
                response: Response = view(entry, *args, **kwargs)
            response.cache_control.no_store = True
            return response

        return wrapper

    return decorate


def fails_with(blueprint: Blueprint, examples: dict[HTTPStatus, str]) -> Callable[[View], View]:
    """Document a view's problem documents: for each status an example of its ``detail``."""

    def decorate(view: View) -> View:
        for status, detail in examples.items():
            view = blueprint.alt_response(
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
            )(view)
        return view

    return decorate
