"""api.kv answers any request as Vault's clients can take it, whatever it is."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from service.api.kv import routes
from tests.api.kv.calls import MEMBERS

METHODS = ("GET", "LIST", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW")
# A token that revokes itself cannot be used for the next request.
KNOWN = [
    (method, name.removeprefix("/v1/").replace("<mount>", "secret").replace("<path>", "a"))
    for method, name in routes.templates()
    if not name.endswith("/revoke-self")
]
WORDS = (
    *("secret", "data", "metadata", "delete", "undelete", "destroy", "subkeys", "config", "a", "b"),
    *("sys", "internal", "ui", "mounts", "tune", "init", "leader", "seal-status", "capabilities-self"),
    *("auth", "token", "lookup-self", "renew-self", "approle", "login", "cubbyhole", "", "..", "."),
)
HEADERS = (
    *("X-Vault-Namespace", "X-Vault-Wrap-TTL", "X-Vault-Request", "Authorization", "X-Request-ID"),
    *("Content-Type", "Content-Encoding", "Accept", "Range", "If-None-Match"),
)
MEMBERS_OF_BODIES = (
    *("data", "options", "cas", "versions", "max_versions", "cas_required", "delete_version_after"),
    *("custom_metadata", "paths", "path", "increment"),
)
# What there is no way to send in a header.
PLAIN = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(MEMBERS_OF_BODIES) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)
REQUESTS = st.fixed_dictionaries(
    {
        "route": st.sampled_from(KNOWN)
        | st.tuples(
            st.sampled_from(METHODS),
            st.lists(st.sampled_from(WORDS) | st.text(max_size=5), max_size=6).map("/".join),
        ),
        "query_string": st.dictionaries(
            st.sampled_from(("list", "version", "depth", "after", "help")),
            st.sampled_from(("true", "1", "-1", "0")) | st.text(max_size=5),
            max_size=2,
        ),
        "headers": st.dictionaries(
            st.sampled_from(HEADERS),
            st.sampled_from(("application/merge-patch+json", "root", "60s", "gzip")) | PLAIN,
            max_size=3,
        ),
        "data": st.binary(max_size=20)
        | VALUES.map(lambda value: json.dumps(value).encode())
        | st.dictionaries(st.sampled_from(MEMBERS_OF_BODIES), VALUES).map(
            lambda value: json.dumps(value).encode()
        ),
    }
)


def test_answers_any_request(make_client: Callable[..., FlaskClient], give: Callable[..., str]) -> None:
    """One of these statuses; JSON of exactly this type, and of an error nothing but its texts."""
    client = make_client(AUTH_REQUIRED="true", AUTH_FAILURES_PER_MINUTE="100000")
    token, seen = give("admin"), set()

    @settings(suppress_health_check=list(HealthCheck), max_examples=10 * settings().max_examples)
    # Few requests that were made up change anything.
    @example(
        {
            "route": ("POST", "auth/token/revoke"),
            "query_string": {},
            "headers": {},
            "data": b'{"token": "x"}',
        },
        None,
    )
    @given(request=REQUESTS, other=st.none() | st.none() | PLAIN)
    def answer(request: dict[str, Any], other: str | None) -> None:
        method, path = request.pop("route")
        request["headers"]["X-Vault-Token"] = token if other is None else other
        response = client.open(f"/v1/{quote(path, safe='/')}", method=method, **request)
        seen.add(response.status_code)
        assert response.status_code in {200, 204, 400, 403, 404, 405, 413, 415}
        if method == "HEAD" or response.status_code == 204:
            assert b"" == response.data
            return
        assert "application/json" == response.headers["Content-Type"]
        if response.status_code >= 400 and not MEMBERS <= response.json.keys():
            assert {"errors"} == response.json.keys()
            assert all(isinstance(text, str) for text in response.json["errors"])

    answer()
    assert {200, 204, 400, 403, 404, 405} <= seen
