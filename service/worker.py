"""gunicorn's threaded worker, with its own errors in this service's form.

What cannot even be parsed as HTTP never reaches the application.  gunicorn answers it in HTML and
quotes it there and in its log: a client that speaks plain HTTP wrongly would find its secret in
the log of the server.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker

STATUS: dict[type[Exception], HTTPStatus] = {
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
    errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
    errors.ParseException: HTTPStatus.BAD_REQUEST,
}


# gunicorn's classes are not annotated.
class Worker(ThreadWorker):  # type: ignore[misc]
    """Answers a request that gunicorn cannot parse with a problem document, and quotes nothing of it."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer on the socket ``client``; called by gunicorn where there is no application to ask."""
        status = next(
            (STATUS[kind] for kind in type(exc).__mro__ if kind in STATUS), HTTPStatus.INTERNAL_SERVER_ERROR
        )
        level = self.log.error if status is HTTPStatus.INTERNAL_SERVER_ERROR else self.log.warning
        level("request refused before the application saw it: %s", type(exc).__name__)
        try:
            client.sendall(_problem(status))
        except OSError:
            self.log.debug("the client was gone before it could be told")


def _problem(status: HTTPStatus) -> bytes:
    body = json.dumps(
        {
            "type": "about:blank",
            "title": status.phrase,
            "status": status.value,
            "detail": "this is not an HTTP request that the service can read",
        }
    ).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        "Connection: close\r\n"
        "Content-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
