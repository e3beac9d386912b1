"""The OpenAPI document and the service agree, whatever schemathesis thinks of sending."""

import json

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


@pytest.mark.parametrize(
    ("method", "path", "mode"),
    [
        ("POST", "/vault/secret/create/", GenerationMode.POSITIVE),
        ("POST", "/vault/secret/create/", GenerationMode.NEGATIVE),
        ("POST", "/vault/secret/fetch", GenerationMode.POSITIVE),
        ("POST", "/vault/secret/fetch", GenerationMode.NEGATIVE),
        # Nothing in these could be wrong.
        ("GET", "/healthz", GenerationMode.POSITIVE),
        ("GET", "/readyz", GenerationMode.POSITIVE),
        ("GET", "/metrics", GenerationMode.POSITIVE),
    ],
)
def test_answers_as_documented(client: FlaskClient, method: str, path: str, mode: GenerationMode) -> None:
    """No unexpected 5xx, no undocumented status, no answer that does not fit, nothing wrong accepted."""
    operation = schemathesis.openapi.from_wsgi("/openapi.json", client.application)[path][method]

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def answer(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=CHECKS)

    answer()


def test_the_checks_can_fail(client: FlaskClient) -> None:
    """A document that promises something else is found out."""
    document = json.loads(client.get("/openapi.json").text)
    answers = document["paths"]["/healthz"]["get"]["responses"]
    answers["201"] = answers.pop("200")
    wrong = schemathesis.openapi.from_dict(document)
    wrong.app = client.application

    with pytest.RaisesGroup(UndefinedStatusCode):
        wrong["/healthz"]["GET"].Case().call_and_validate(checks=CHECKS)
