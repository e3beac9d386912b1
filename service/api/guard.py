"""Decorators for views: they authenticate the caller, or expect a login, and write the audit record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from flask import Response, request

from ..audit.recorder import Entry
from ..errors import InputRefused
from ..models import Principal
from .blueprint import JsonBlueprint
from .caller import current_caller
from .dependencies import Dependencies, dependencies

View = TypeVar("View", bound=Callable[..., Any])

_SCHEME = "bearer "
# More than any role id and secret id; a larger body is refused before it is read.
_MAX_LOGIN_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API: its audit entry and its authenticated caller."""

    entry: Entry
    principal: Principal

    def charge(self, values: int) -> None:
        """Count this batch as so many calls.

        Raises:
            TooManyRequests, TokenUsedUp: the token may not make as many.
            StoreUnavailable: the database did not answer in time.
        """
        dependencies().authentication.charge(self.principal, values)


def guarded(
    blueprint: JsonBlueprint, operation: str, *, batch: bool = False
) -> Callable[[View], Callable[..., Response]]:
    """Authenticate the caller and record the operation; the view's first argument is the ``Call``.

    The view of a ``batch`` calls ``Call.charge`` before it does anything.

    It must be the outermost decorator, so that requests with errors are recorded as well, and so that a
    response is dropped if its record cannot be written.
    """

    def decorate(view: View) -> Callable[..., Response]:
        @wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Response:
            parts = dependencies()
            with parts.recorder.entry(operation, current_caller()) as entry:
                call = Call(entry, _authenticate(parts, entry, batch=batch))
                response: Response = view(call, *args, **kwargs)
            return response

        documented: Callable[..., Response] = blueprint.doc(security=[{"token": []}])(wrapper)
        return documented

    return decorate


@contextmanager
def counting_malformed(entry: Entry) -> Iterator[None]:
    """Count callers without a token who send a malformed body as having failed to log in.

    Otherwise a flood of these would fill the audit log.  A body is read only if it is short.
    """
    request.max_content_length = _MAX_LOGIN_BYTES
    try:
        yield
    except InputRefused:
        with dependencies().request_deadline():
            dependencies().login.count_failure(entry)
        raise


def for_logins(blueprint: JsonBlueprint, operation: str) -> Callable[[View], Callable[..., Response]]:
    """Record the operation of a caller who has no token yet; the view's first argument is the audit entry.

    Malformed bodies are counted as failures.  It must be the outermost decorator, as ``guarded``.
    """

    def decorate(view: View) -> Callable[..., Response]:
        @wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Response:
            with (
                dependencies().recorder.entry(operation, current_caller()) as entry,
                counting_malformed(entry),
            ):
                response: Response = view(entry, *args, **kwargs)
            return response

        documented: Callable[..., Response] = blueprint.doc(security=[])(wrapper)
        return documented

    return decorate


def _authenticate(parts: Dependencies, entry: Entry, *, batch: bool) -> Principal:
    header = request.environ.get("HTTP_AUTHORIZATION", "")
    token = header[len(_SCHEME) :].strip() if header[: len(_SCHEME)].lower() == _SCHEME else None
    with parts.request_deadline():
        return parts.authentication.authenticate(entry, token, batch=batch)
