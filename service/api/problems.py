"""Maps domain errors to HTTP statuses and problem documents (RFC 9457)."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, json
from werkzeug.exceptions import HTTPException

from .. import errors, metrics
from .caller import current_caller

CONTENT_TYPE = "application/problem+json"

# Relative to the service's address, which RFC 9457 section 3.1.1 allows; no page is served there.
TYPE_PREFIX = "/problems/"

STATUS: dict[type[errors.VaultError], HTTPStatus] = {
    errors.NotJson: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.EncodedBody: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.MalformedJson: HTTPStatus.BAD_REQUEST,
    errors.InvalidFields: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InvalidBase64: HTTPStatus.BAD_REQUEST,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.UnexpectedHost: HTTPStatus.MISDIRECTED_REQUEST,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    errors.SecretNotFound: HTTPStatus.NOT_FOUND,
    errors.NotGranted: HTTPStatus.NOT_FOUND,
    errors.TokenNotFound: HTTPStatus.NOT_FOUND,
    errors.SessionNotFound: HTTPStatus.NOT_FOUND,
    errors.ShareNotFound: HTTPStatus.NOT_FOUND,
    errors.TooManyShares: HTTPStatus.CONFLICT,
    errors.GrantNotFound: HTTPStatus.NOT_FOUND,
    errors.RoleNotFound: HTTPStatus.NOT_FOUND,
    errors.SecretIdNotFound: HTTPStatus.NOT_FOUND,
    errors.RoleNameTaken: HTTPStatus.CONFLICT,
    errors.PathTaken: HTTPStatus.CONFLICT,
    errors.SecretInUse: HTTPStatus.CONFLICT,
    errors.VersionConflict: HTTPStatus.CONFLICT,
    errors.CannotDecrypt: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}

# Flask's own texts for these address people with a browser.
_DETAIL = {
    HTTPStatus.NOT_FOUND: "no such route: /docs lists all routes",
    HTTPStatus.METHOD_NOT_ALLOWED: "method not allowed: the header Allow lists the methods of this route",
}

log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Turn every error of the application into a problem document."""
    app.register_error_handler(errors.VaultError, _domain_error)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, _unexpected_error)


def problem(status: HTTPStatus, detail: str, **members: Any) -> Response:
    """Return a problem document; ``members`` are its extension members, and ``type`` if it has one."""
    body = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "request_id": current_caller().request_id,
        **members,
    }
    return Response(json.dumps(body), status.value, content_type=CONTENT_TYPE)


def example(error: errors.VaultError) -> dict[str, Any]:
    """Return an example of an error's problem document, for the documentation."""
    cause = error.cause if isinstance(error, errors.BatchFailed) else error
    status = _status(cause) or HTTPStatus.INTERNAL_SERVER_ERROR
    return {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": _detail(error),
        "request_id": "5f0c7e0a4d5b4c0f8a35b1a8e3f1c2d4",
        **_members(cause),
    }


def summary(error: errors.VaultError) -> dict[str, Any]:
    """Return the result of a failed item in a batch."""
    if isinstance(error, errors.CannotDecrypt):
        report_unopenable(error)
    status = _status(error) or HTTPStatus.INTERNAL_SERVER_ERROR
    return {"status": status, "detail": str(error), **_members(error)}


def _status(error: errors.VaultError) -> HTTPStatus | None:
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), None)


def _detail(error: errors.VaultError) -> str:
    return f"the record cannot be opened: {error}" if isinstance(error, errors.CannotDecrypt) else str(error)


def _members(error: errors.VaultError) -> dict[str, Any]:
    """Return the ``type`` and the extension members, for programs."""
    members: dict[str, Any] = {"type": TYPE_PREFIX + error.kind}
    if isinstance(error, errors.InvalidFields):
        members["errors"] = error.errors
    if isinstance(error, errors.SecretNotFound):
        members |= error.end
    if isinstance(error, errors.ShareOpened):
        members |= {"at": error.at, "from": error.client_ip, "same_attempt": error.same_attempt}
    if isinstance(error, errors.WrongPassphrase):
        members["tries_left"] = error.tries_left
    if isinstance(error, errors.VersionConflict):
        members["current_version"] = error.current_version
    return members


def report_unopenable(error: errors.CannotDecrypt) -> None:
    """Count and log a stored record that cannot be opened."""
    metrics.crypto_failures.labels(error.reason).inc()
    log.error(
        "a stored record cannot be opened: %s",
        error.reason,
        extra={"request_id": current_caller().request_id},
    )


def report_unavailable(error: errors.Unavailable) -> None:
    """Log that a request cannot be served now, and count it if its audit record is the reason."""
    if isinstance(error, errors.AuditUnavailable):
        metrics.audit_failures.inc()
    log.error("cannot serve: %s", error, extra={"request_id": current_caller().request_id})


def report_unexpected(error: Exception) -> None:
    """Log an error that nobody foresaw."""
    # The log formatter omits the message: a library's message may quote a secret.
    log.error("unexpected error", exc_info=error, extra={"request_id": current_caller().request_id})


def _domain_error(error: errors.VaultError) -> Response:
    # The error of the failed item decides the status of the whole batch.
    detail, error = _detail(error), error.cause if isinstance(error, errors.BatchFailed) else error
    status = _status(error)
    if status is None:
        return _unexpected_error(error)
    if isinstance(error, errors.CannotDecrypt):
        report_unopenable(error)
        return problem(status, detail, **_members(error))
    response = problem(status, detail, **_members(error))
    if isinstance(error, errors.Unavailable):
        report_unavailable(error)
        response.headers["Retry-After"] = "1"
    if isinstance(error, errors.EncodedBody):
        # RFC 9110 section 15.5.16: which codings would do.
        response.headers["Accept-Encoding"] = "identity"
    if isinstance(error, errors.Unauthenticated):
        # RFC 6750 section 3: no error code if no token was sent.
        no_token = isinstance(error, errors.NoToken | errors.InvalidLogin)
        sent = "" if no_token else ', error="invalid_token"'
        response.headers["WWW-Authenticate"] = f'Bearer realm="secret-manager"{sent}'
    if isinstance(error, errors.TooManyRequests):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def http_error(error: HTTPException) -> Response:
    """Return an error of Flask itself (no such route, wrong method) as a problem document."""
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    response = problem(status, _DETAIL.get(status) or error.description or status.phrase)
    for name, value in error.get_headers():
        if name.lower() != "content-type":
            response.headers[name] = value
    return response


def _unexpected_error(error: Exception) -> Response:
    report_unexpected(error)
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal error: search the service's log for this request_id",
    )
