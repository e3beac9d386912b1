"""The log line, metrics and common headers of every request."""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from flask import Flask, Response, g
from flask.globals import request_ctx

from .. import metrics
from .caller import current_caller

log = logging.getLogger(__name__)

# A client can send any word as the method: only known ones become a metric label or reach the log.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "LIST"})

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


def line(
    at: float, request_id: str, method: str, route: str, status: int, seconds: float, client_ip: str
) -> str:
    """Return the log line of a request; ``at`` is when it was answered, in seconds since 1970.

    The same as ``server.logs.JsonFormatter`` would make of a log record, at a sixth of the cost.
    """
    # datetime rounds to microseconds, and the formatter cuts these off.
    milliseconds = int(at) * 1000 + round(at % 1 * 1_000_000) // 1000
    return (
        f'{{"timestamp": "{_second(milliseconds // 1000)}.{milliseconds % 1000:03}+00:00", "level": "info",'
        f' "logger": "{__name__}", "message": "request", "request_id": {_quoted(request_id)},'
        f' "method": {_quoted(method)}, "route": {_quoted(route)}, "status": {status},'
        f' "duration_ms": {round(seconds * 1000, 1)}, "client_ip": {_quoted(client_ip)}}}\n'
    )


def _start() -> None:
    g.started = time.perf_counter()


def _finish(response: Response) -> Response:
    seconds = time.perf_counter() - g.started
    # Each access to ``request`` looks the context up.
    asked, caller = request_ctx.request, current_caller()
    # The route, never the path: the path of an unknown route may contain anything, even a secret.
    route = g.get("route") or (asked.url_rule.rule if asked.url_rule else "unmatched")
    method = asked.method if asked.method in _METHODS else "other"
    status = response.status_code

    count, duration = _series(method, route, status)
    count.inc()
    duration.observe(seconds)
    if log.isEnabledFor(logging.INFO):
        sys.stderr.write(
            line(time.time(), caller.request_id, method, route, status, seconds, caller.client_ip)
        )
    headers = response.headers
    headers.add("X-Request-ID", caller.request_id)
    for name, value in _HEADERS.items():
        if name not in headers:
            headers.add(name, value)
    if asked.is_secure:
        headers.add("Strict-Transport-Security", "max-age=31536000")
    return response


@lru_cache(maxsize=1024)
def _series(method: str, route: str, status: int) -> tuple[Any, Any]:
    """Return the counter and the histogram of these labels; their number is bounded by the routes'."""
    return metrics.requests.labels(method, route, str(status)), metrics.latency.labels(route)


@lru_cache(maxsize=1)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


_quoted = json.encoder.encode_basestring_ascii
