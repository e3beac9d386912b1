"""api.docs: the documentation is complete, and asks nobody else for anything."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    """The OpenAPI document."""
    document: dict[str, Any] = client.get("/openapi.json").json
    return document


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return every operation with its path."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in ("get", "post"):
                yield path, operation


def test_documents_every_route(client: FlaskClient, document: dict[str, Any]) -> None:
    """Version 3.1, and no route without its entry but the documentation's own."""
    routes = {rule.rule for rule in client.application.url_map.iter_rules()}

    assert document["openapi"].startswith("3.1")
    assert routes - {"/docs", "/docs/<name>", "/openapi.json"} == set(document["paths"])


def test_documents_every_error_with_an_example(document: dict[str, Any]) -> None:
    """A client's author need not provoke them to learn what they look like."""
    for path, operation in operations(document):
        answers = operation["responses"]
        if path.startswith("/vault/"):
            assert {"200", "401", "429", "500", "503"} <= answers.keys(), path
            assert [{"token": []}] == operation["security"], path
        if "requestBody" in operation:
            assert {"400", "403", "413", "415", "422"} <= answers.keys(), path
            assert {"example", "examples"} & operation["requestBody"]["content"]["application/json"].keys(), (
                path
            )
        for status, answer in answers.items():
            if status != "200":
                assert ["application/problem+json"] == list(answer["content"]), (path, status)
                assert int(status) == answer["content"]["application/problem+json"]["example"]["status"]
    assert "404" in document["paths"]["/vault/secret/fetch"]["post"]["responses"]
    assert "409" in document["paths"]["/vault/secret/create/"]["post"]["responses"]
    assert "requestBody" not in document["paths"]["/vault/token/whoami"]["post"]


def test_every_example_can_be_sent(client: FlaskClient, document: dict[str, Any]) -> None:
    """Whoever copies one finds that it fits: what it names may not be there."""
    for path, operation in operations(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            examples = [example["value"] for example in content.get("examples", {}).values()]
            for body in examples or [content["example"]]:
                assert client.post(path, json=body).status_code in (200, 404, 409), (path, body)


def test_has_nothing_in_it_that_is_not_used(document: dict[str, Any]) -> None:
    """Every schema is somebody's."""
    used = set(re.findall(r"#/components/schemas/(\w+)", str(document)))

    assert used == document["components"]["schemas"].keys()


def test_the_page_loads_from_here_and_under_a_strict_policy(client: FlaskClient) -> None:
    """Every script, style and icon is a file of this service; no script is inline."""
    with client.get("/docs") as page:
        policy, html = page.headers["Content-Security-Policy"], page.text

    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert [] == re.findall(r"https?://", html)
    assert [] == re.findall(r"<script(?![^>]* src=)", html)
    links = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert 4 == len(links)
    for link in links:
        with client.get(link) as response:
            assert 200 == response.status_code, link
            assert response.data


def test_can_be_switched_off(make_client: Callable[..., FlaskClient]) -> None:
    """Then none of it is there; the API itself is."""
    client = make_client(DOCS_ENABLED="false")

    for path in ("/docs", "/docs/docs.js", "/openapi.json"):
        assert 404 == client.get(path).status_code, path
    assert 200 == client.get("/healthz").status_code
