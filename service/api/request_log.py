"""The log line, metrics and common headers of every request."""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, g, request

from .. import metrics
from .caller import client_ip, request_id

log = logging.getLogger(__name__)

# A client can send any word as the method: only known ones become a metric label or reach the log.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# Responses are for programs: a browser must not sniff, frame, run or cache them.  The documentation page
# has its own policy.
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def init_app(app: Flask) -> None:
    """Count, time and log every request of the application."""
    app.before_request(_start)
    app.after_request(_finish)


def _start() -> None:
    g.started = time.perf_counter()


def _finish(response: Response) -> Response:
    seconds = time.perf_counter() - g.started
    # The route, never the path: the path of an unknown route may contain anything, even a secret.
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
