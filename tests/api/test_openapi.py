"""The service behaves as the OpenAPI document says, for requests that schemathesis generates."""

import json
from collections.abc import Callable

import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.openapi.checks import UndefinedStatusCode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


WITH_BODY = [
    "/vault/secret/create/",
    "/vault/secret/create/batch",
    "/vault/secret/fetch",
    "/vault/secret/fetch/batch",
    "/vault/secret/deliver",
    "/vault/secret/update",
    "/vault/secret/describe",
    "/vault/secret/access",
    "/vault/secret/list",
    "/vault/secret/delete",
    "/vault/secret/undelete",
    "/vault/secret/destroy",
    "/vault/token/create",
    "/vault/token/list",
    "/vault/token/describe",
    "/vault/token/renew",
    "/vault/token/revoke",
    "/vault/session/create",
    "/vault/session/renew",
    "/vault/session/confirm",
    "/vault/session/list",
    "/vault/session/revoke",
    "/vault/share/create",
    "/vault/share/list",
    "/vault/share/revoke",
    "/vault/share/peek",
    "/vault/share/reveal",
    "/vault/folder/describe",
    "/vault/folder/configure",
    "/vault/grant/create",
    "/vault/grant/list",
    "/vault/grant/describe",
    "/vault/grant/delete",
    "/vault/approle/create",
    "/vault/approle/list",
    "/vault/approle/describe",
    "/vault/approle/delete",
    "/vault/approle/secret-id/create",
    "/vault/approle/secret-id/list",
    "/vault/approle/secret-id/revoke",
    "/vault/approle/login",
    "/vault/audit/search",
    "/vault/audit/verify",
]
LOGIN = "/vault/approle/login"

CONFIG = schemathesis.Config.from_dict(
    {
        # Each case sends its own valid token; test_guard.py covers requests without one.
        "generation": {"with-security-parameters": False},
        # An invalid body may also be too large, which is noticed first.
        "checks": {
            "negative_data_rejection": {"expected-statuses": [400, 401, 403, 404, 409, 413, 415, 422]}
        },
    }
)


@pytest.mark.parametrize(
    ("method", "path", "mode"),
    [
        *(("POST", path, mode) for path in WITH_BODY for mode in GenerationMode),
        # These have no input that could be invalid.
        ("POST", "/vault/token/whoami", GenerationMode.POSITIVE),
        ("POST", "/vault/status", GenerationMode.POSITIVE),
        ("GET", "/vault/key/status", GenerationMode.POSITIVE),
        ("GET", "/healthz", GenerationMode.POSITIVE),
        ("GET", "/readyz", GenerationMode.POSITIVE),
        ("GET", "/metrics", GenerationMode.POSITIVE),
    ],
)
def test_answers_as_documented(
    make_client: Callable[..., FlaskClient],
    give: Callable[..., str],
    method: str,
    path: str,
    mode: GenerationMode,
) -> None:
    """No 5xx, no undocumented status or body, and no invalid input accepted."""
    # Each login of these fails.
    guarded = make_client(AUTH_REQUIRED="true", AUTH_FAILURES_PER_MINUTE="10000")
    schema = schemathesis.openapi.from_wsgi("/openapi.json", guarded.application, config=CONFIG)
    own, seen = give("admin"), set()

    @settings(max_examples=settings().max_examples // 4, suppress_health_check=list(HealthCheck))
    @given(case=schema[path][method].as_strategy(generation_mode=mode))
    def answer(case: schemathesis.Case) -> None:
        # A token that revokes itself cannot be used for the next case.
        token = give("admin") if path.endswith("/revoke") else own
        headers = {"Authorization": f"Bearer {token}"}
        seen.add(case.call_and_validate(checks=CHECKS, headers=headers).status_code)

    answer()
    assert not ({429} if path == LOGIN else {401, 429}) & seen


def test_every_operation_is_tried(client: FlaskClient) -> None:
    """Fails for a new operation that is missing here."""
    tried = {*WITH_BODY, "/vault/token/whoami", "/vault/status", "/vault/key/status"}
    tried |= {"/healthz", "/readyz", "/metrics"}

    assert client.get("/openapi.json").json["paths"].keys() == tried


def test_the_checks_can_fail(client: FlaskClient) -> None:
    """A document that says something else is detected."""
    document = json.loads(client.get("/openapi.json").text)
    answers = document["paths"]["/healthz"]["get"]["responses"]
    answers["201"] = answers.pop("200")
    wrong = schemathesis.openapi.from_dict(document)
    wrong.app = client.application

    with pytest.RaisesGroup(UndefinedStatusCode):
        wrong["/healthz"]["GET"].Case().call_and_validate(checks=CHECKS)
