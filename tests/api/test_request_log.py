"""api.requests: what every answer carries."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.calls import FETCH, WHOAMI, post


def test_no_browser_makes_anything_of_an_answer(guarded: FlaskClient, give: Callable[..., str]) -> None:
    """Successes and refusals, of whatever route: not kept, not guessed at, not framed, not passed on."""
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


@pytest.mark.parametrize(("scheme", "demanded"), [("https", True), ("http", False)])
def test_demands_tls_of_those_who_came_by_it(guarded: FlaskClient, scheme: str, demanded: bool) -> None:
    """RFC 6797, section 7.2: not over plain HTTP."""
    answer = guarded.get("/healthz", base_url=f"{scheme}://localhost")

    assert demanded == ("Strict-Transport-Security" in answer.headers)
