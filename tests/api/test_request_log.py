"""api.request_log: the headers of every response, and the log line of every request."""

import logging
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from service.api.request_log import line
from service.server.logs import JsonFormatter
from tests.calls import FETCH, WHOAMI, post


def test_browsers_must_not_interpret_a_response(guarded: FlaskClient, give: Callable[..., str]) -> None:
    """Successes and errors of any route: not cached, sniffed, framed or passed on."""
    answers = [
        post(guarded, WHOAMI, None, give("audit")),
        post(guarded, WHOAMI),
        post(guarded, FETCH, {}, give("audit")),
        guarded.get("/nothing"),
        guarded.get("/healthz"),
        guarded.get("/metrics"),
        guarded.delete(FETCH),
    ]
    for answer in answers:
        assert "nosniff" == answer.headers["X-Content-Type-Options"]
        assert "default-src 'none'; frame-ancestors 'none'" == answer.headers["Content-Security-Policy"]
        assert "no-referrer" == answer.headers["Referrer-Policy"]
        assert "no-store" == answer.headers["Cache-Control"]
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(("scheme", "expected"), [("https", True), ("http", False)])
def test_sends_hsts_over_https_only(guarded: FlaskClient, scheme: str, expected: bool) -> None:
    """RFC 6797 section 7.2: not over plain HTTP."""
    answer = guarded.get("/healthz", base_url=f"{scheme}://localhost")

    assert expected == ("Strict-Transport-Security" in answer.headers)


@given(
    at=st.floats(0, 4e9),
    texts=st.tuples(*[st.text()] * 4),
    status=st.integers(100, 599),
    seconds=st.floats(0, 1e5),
)
def test_the_line_is_what_the_formatter_makes_of_a_record(
    at: float, texts: tuple[str, str, str, str], status: int, seconds: float
) -> None:
    """Byte for byte, whatever is in it: quotes, line breaks, other alphabets."""
    request_id, method, route, address = texts
    record = logging.makeLogRecord(
        {
            "name": "service.api.request_log",
            "levelname": "INFO",
            "msg": "request",
            "created": at,
            "request_id": request_id,
            "method": method,
            "route": route,
            "status": status,
            "duration_ms": round(seconds * 1000, 1),
            "client_ip": address,
        }
    )

    assert f"{JsonFormatter().format(record)}\n" == line(
        at, request_id, method, route, status, seconds, address
    )
