"""api.request_log: the headers of every response."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

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
