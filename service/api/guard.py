"""What every view that touches secrets, tokens or the log is wrapped in: who is it, and what was it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from flask import Response, request
from flask_smorest import Blueprint

from ..audit.recorder import Entry
from ..models import Principal
from .caller import current_caller
from .dependencies import dependencies

View = TypeVar("View", bound=Callable[..., Any])

_SCHEME = "bearer "


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API: its audit entry, and who makes it."""

    entry: Entry
    principal: Principal


def guarded(blueprint: Blueprint, operation: str) -> Callable[[View], Callable[..., Response]]:
    """Find out who calls, and record it; the view gets the ``Call`` first.

    It goes outermost, so that a request that is refused, or cannot be read, is recorded as well, and
    so that an answer whose record cannot be written is dropped.
    """

    def decorate(view: View) -> Callable[..., Response]:
        @wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Response:
            with dependencies().recorder.entry(operation, current_caller()) as entry:
                response: Response = view(Call(entry, _authenticate(entry)), *args, **kwargs)
            return response

        documented: Callable[..., Response] = blueprint.doc(security=[{"token": []}])(wrapper)
        return documented

    return decorate


def _authenticate(entry: Entry) -> Principal:
    header = request.headers.get("Authorization", "")
    token = header[len(_SCHEME) :].strip() if header.lower().startswith(_SCHEME) else None
    with dependencies().request_deadline():
        return dependencies().authenticate(entry, token)
