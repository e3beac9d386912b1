"""api.kv answers as the tests' own document says, for requests that schemathesis generates."""

from collections.abc import Callable

import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.openapi.checks import JsonSchemaError
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.kv import openapi

# Whether invalid input is refused is tested elsewhere: like Vault, much that is odd is let pass.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
CONFIG = schemathesis.Config.from_dict({"generation": {"with-security-parameters": False}})


@pytest.mark.parametrize(
    ("method", "name", "mode"),
    [
        (method, name, mode)
        for method, name in openapi.operations()
        for mode in (GenerationMode if openapi.has_input(method, name) else [GenerationMode.POSITIVE])
    ],
)
def test_answers_as_clients_expect(
    make_client: Callable[..., FlaskClient],
    give: Callable[..., str],
    method: str,
    name: str,
    mode: GenerationMode,
) -> None:
    """No 5xx, no status that Vault has not there, no other content type, and no member that is missing."""
    # Each login of these fails.
    guarded = make_client(AUTH_REQUIRED="true", AUTH_FAILURES_PER_MINUTE="10000")
    schema = schemathesis.openapi.from_dict(openapi.document(), config=CONFIG)
    schema.app = guarded.application
    own = give("admin")

    @settings(max_examples=settings().max_examples // 4, suppress_health_check=list(HealthCheck))
    @given(case=schema[openapi.path_of(name)][method].as_strategy(generation_mode=mode))
    def answer(case: schemathesis.Case) -> None:
        # A token that revokes itself cannot be used for the next case.
        token = give("admin") if name.endswith("/revoke-self") else own
        response = case.call_and_validate(checks=CHECKS, headers={"X-Vault-Token": token})
        if response.status_code != 204:
            assert ["application/json"] == response.headers["content-type"]

    answer()


def test_the_checks_can_fail(guarded: FlaskClient, give: Callable[..., str]) -> None:
    """An answer that lacks a member is detected."""
    document = openapi.document()
    answers = document["paths"]["/v1/sys/init"]["get"]["responses"]
    answers["200"] = document["paths"]["/v1/sys/mounts"]["get"]["responses"]["200"]
    wrong = schemathesis.openapi.from_dict(document)
    wrong.app = guarded.application

    with pytest.RaisesGroup(JsonSchemaError):
        wrong["/v1/sys/init"]["GET"].Case().call_and_validate(checks=CHECKS)
