"""api.docs: the documentation is complete, and loads nothing from other hosts."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database
from werkzeug.test import TestResponse

from service.access import policy
from service.api.fields import EXAMPLE_PATH
from tests.calls import (
    APPROLE,
    BATCH,
    CREATE,
    FETCH,
    GRANT,
    SECRET,
    SESSION,
    SHARE,
    TOKEN,
    UNKNOWN,
    WHOAMI,
    post,
)

# What needs no token.
LOGINS = (APPROLE + "login", SHARE + "peek", SHARE + "reveal")


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    """The OpenAPI document."""
    document: dict[str, Any] = client.get("/openapi.json").json
    return document


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every operation with its path."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in ("get", "post"):
                yield path, operation


def test_documents_every_route(client: FlaskClient, document: dict[str, Any]) -> None:
    """OpenAPI 3.1, with every route but those of pages and of Vault's clients."""
    routes = {rule.rule for rule in client.application.url_map.iter_rules() if rule.methods}

    assert document["openapi"].startswith("3.1")
    pages = {"/docs", "/docs/<name>", "/openapi.json"}
    pages |= {"/console", "/console/assets/<digest>/<name>", "/share"}
    assert routes - pages == set(document["paths"])


def test_documents_every_error_with_an_example(document: dict[str, Any]) -> None:
    """So that authors of clients need not provoke errors to see them."""
    for path, operation in operations(document):
        answers = operation["responses"]
        if path.startswith("/vault/"):
            assert {"200", "429", "500", "503"} <= answers.keys(), path
            # A role's id and its secret id can be wrong; a link then is one that does not exist.
            assert path in LOGINS[1:] or "401" in answers, path
            assert ([] if path in LOGINS else [{"token": []}]) == operation["security"], path
        if "requestBody" in operation:
            forbidden = set() if path in LOGINS else {"403"}
            assert {"400", "413", "415", "422"} | forbidden <= answers.keys(), path
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
    """It fits the schema; only what it names may not exist, and without tokens there are no sessions."""
    for path, operation in operations(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            examples = [example["value"] for example in content.get("examples", {}).values()]
            for body in examples or [content["example"]]:
                expected = {APPROLE + "login": (401,), SESSION + "create": (403,)}.get(path, (200, 404, 409))
                if path in (SESSION + "renew", SESSION + "confirm"):
                    expected = (403,)
                assert client.post(path, json=body).status_code in expected, (path, body)


def test_error_examples_are_real(
    guarded: FlaskClient,
    give: Callable[..., str],
    document: dict[str, Any],
    database: Database,
    indexed: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every example has the type, status and ``detail`` of an error that a call here gets."""
    path = {"path": EXAMPLE_PATH}
    value = path | {"secret": "YQ=="}
    admin, reader, driver = give("admin"), give("fetch:*", expires_in=60), give("deliver:*")
    service = {"id": "x9", "name": "billing_api"}
    task = {"task": {"id": "t1", "name": "billing_api.1.t1"}, "node": {"id": "n1"}, "docker_secret": "db.v1"}
    delivery = path | {"service": service} | task

    def responses() -> Iterator[TestResponse]:
        """Yield the responses to one call after the other, most of which fail."""
        for token, route, body in (
            (None, CREATE, value),
            (reader, CREATE, value),
            (reader, SECRET + "list", {}),
            (reader, TOKEN + "create", {"name": "a", "scopes": ["fetch:*"]}),
            (reader, TOKEN + "renew", {}),
            (reader, "/vault/audit/search", {}),
            (reader, SECRET + "deliver", delivery),
            (driver, SECRET + "deliver", delivery),
            (driver, "/vault/folder/describe", {"prefix": "team"}),
            (admin, GRANT + "describe", {"grant_id": "0" * 16}),
            (admin, APPROLE + "describe", {"role": "none"}),
            (admin, APPROLE + "secret-id/revoke", {"accessor": "0" * 16}),
            (None, APPROLE + "login", {"role_id": "x", "secret_id": "x"}),
            (None, APPROLE + "login", {"role_id": "x" * 9000, "secret_id": "x"}),
            *((admin, APPROLE + "create", {"name": "ci", "scopes": ["fetch:*"]}) for _ in range(2)),
            (admin, FETCH, path),
            (admin, BATCH, {"secrets": [path], "all_or_nothing": True}),
            (admin, TOKEN + "describe", {"token_id": "0" * 16}),
            (admin, CREATE, value | {"secret": "YQ"}),
            (admin, CREATE, value | {"secret": "AAAA" * 180_000}),
            (admin, CREATE, value | {"secret": "AAAA" * 200_000}),
            (admin, CREATE, {}),
            (admin, CREATE, value),
            (admin, CREATE, value),
            (admin, CREATE + "batch", {"secrets": [value], "all_or_nothing": True}),
            (admin, SECRET + "update", value),
            (admin, SECRET + "update", value | {"expected_version": 1}),
            (admin, GRANT + "create", {"services": ["billing_*"], "paths": [EXAMPLE_PATH]}),
            (driver, SECRET + "deliver", delivery | {"version": 1}),
            (admin, SECRET + "destroy", path | {"versions": [1]}),
            *((UNKNOWN, WHOAMI, {}) for _ in range(100)),
        ):
            yield post(guarded, route, body, token)
        authorized = {"Authorization": f"Bearer {admin}"}
        yield guarded.post(CREATE, headers=authorized)
        yield guarded.post(CREATE, headers=authorized, data="{", content_type="application/json")
        yield guarded.get("/vault/key/status", headers={"Authorization": f"Bearer {reader}"})
        yield guarded.get("/metrics", environ_overrides={"REMOTE_ADDR": "192.0.2.1"})
        yield from of_sessions()
        yield from of_shares()
        payload = database.secrets.find_one()["versions"][1]["payload"]
        altered = payload[:-1] + bytes([payload[-1] ^ 1])
        database.secrets.update_one({}, {"$set": {"versions.1.payload": altered}})
        yield post(guarded, FETCH, path, admin)
        database.command("collMod", "audit_logs", validator={"never": {"$exists": True}})
        yield post(guarded, FETCH, path, admin)
        yield guarded.get("/readyz")

    def of_sessions() -> Iterator[TestResponse]:
        session = post(guarded, SESSION + "create", {}, admin).json["session"]
        yield post(guarded, SESSION + "create", {}, session)
        yield post(guarded, SESSION + "renew", {}, admin)
        yield post(guarded, SESSION + "revoke", {"session_id": "0" * 16}, admin)
        with monkeypatch.context() as later:
            later.setattr(policy, "CONFIRMED_FOR", timedelta(0))
            yield post(guarded, TOKEN + "create", {"name": "a", "scopes": ["fetch:*"]}, session)

    def of_shares() -> Iterator[TestResponse]:
        share = {"secret": "YQ==", "for": "Grace"}
        locked, opened = (
            post(guarded, SHARE + "create", share | options, admin).json["link"]
            for options in ({"passphrase": "correct horse"}, {})
        )
        yield post(guarded, SHARE + "revoke", {"share_id": "0" * 16}, admin)
        wrong = {"link": locked, "passphrase": "wrong horse", "attempt": "0" * 32}
        yield post(guarded, SHARE + "reveal", wrong)
        for attempt in ("0" * 32, "1" * 32):
            yield post(guarded, SHARE + "reveal", {"link": opened, "attempt": attempt}, address="192.0.2.7")
        for _ in range(100):
            yield post(guarded, SHARE + "create", share, admin)

    seen = {_comparable(response.json) for response in responses() if response.status_code >= 400}
    examples = {_comparable(example) for example in _problems(document["paths"])}
    assert set() == examples - seen
    # All types that the calls here get are documented, except the failed attempts before a 429.
    assert {("/problems/invalid-token", 401)} == {error[:2] for error in seen} - {
        error[:2] for error in examples
    }


def _problems(node: Any) -> Iterator[dict[str, Any]]:
    """Yield the examples of problem documents, including those of failed items in batches."""
    if isinstance(node, dict) and {"type", "status", "detail"} <= node.keys():
        yield node
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from _problems(child)


def _comparable(problem: dict[str, Any]) -> tuple[str, int, str]:
    # The database's error, the check that failed, and times differ from the examples.
    variable = (
        r"((?:the database cannot be used now|not ready): |delivered to service \S+ at |opened at )[^,]*"
    )
    return problem["type"], problem["status"], re.sub(variable, r"\1…", problem["detail"])


def test_has_no_unused_schemas(document: dict[str, Any]) -> None:
    """Every schema is referenced somewhere."""
    used = set(re.findall(r"#/components/schemas/(\w+)", str(document)))

    assert used == document["components"]["schemas"].keys()


def test_the_page_loads_only_from_this_service_under_a_strict_policy(client: FlaskClient) -> None:
    """Every script, style and icon is served by this service; no script is inline."""
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
    """Then its routes do not exist; the API still works."""
    client = make_client(DOCS_ENABLED="false")

    for path in ("/docs", "/docs/docs.js", "/openapi.json"):
        assert 404 == client.get(path).status_code, path
    assert 200 == client.get("/healthz").status_code
