"""What happens around every request: its id, its log line, its metrics."""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, g, request

from .. import metrics
from .caller import client_ip, request_id

log = logging.getLogger(__name__)

# A method is any word a client likes: only known ones become a label or reach the log.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# Answers are for programs: no browser shall guess, frame, run or pass on anything of them. The
# documentation's page has a policy of its own.
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def init_app(app: Flask) -> None:
    """Number, count, time and log every request of the application."""
    app.before_request(_start)
    app.after_request(_finish)


def _start() -> None:
    g.started = time.perf_counter()


def _finish(response: Response) -> Response:
    seconds = time.perf_counter() - g.started
    # The route, never the path: a path that no route knows may be anything, a secret included.
    route = request.url_rule.rule if request.url_rule else "unmatched"
    method = request.method if request.method in _METHODS else "other"

    metrics.requests.labels(method, route, str(response.status_code)).inc()
    metrics.latency.labels(route).observe(seconds)
    log.info(
        "request",
        extra={
            "request_id": request_id(),
            "method": method,
            "route": route,
            "status": response.status_code,
            "duration_ms": round(seconds * 1000, 1),
            "client_ip": client_ip(),
        },
    )
    response.headers["X-Request-ID"] = request_id()
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response
