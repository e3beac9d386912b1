"""api.problems: every error is a problem document, also those that Flask makes itself."""

import json
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pymongo.database import Database
from werkzeug.test import TestResponse

from service import errors
from service.access.token_format import Credential
from service.api.problems import STATUS
from tests.calls import ask, id_of, post

ROOT = Path(__file__).parents[2]

# What programs compare. Add to it; never change or remove a word.
KINDS = {
    "VaultError": "internal-error",
    "ConfigurationError": "start-refused",
    "InputRefused": "input-refused",
    "NotJson": "not-json",
    "MalformedJson": "malformed-json",
    "InvalidFields": "invalid-fields",
    "InvalidBase64": "invalid-base64",
    "TooLarge": "too-large",
    "ImportFormatError": "not-importable",
    "Unauthenticated": "unauthenticated",
    "NoToken": "no-token",
    "MalformedToken": "malformed-token",
    "InvalidToken": "invalid-token",
    "TokenExpired": "token-expired",
    "TokenRevoked": "token-revoked",
    "TokenUsedUp": "token-used-up",
    "AddressNotAllowed": "address-not-allowed",
    "Forbidden": "forbidden",
    "TooManyRequests": "too-many-requests",
    "SecretNotFound": "secret-not-found",
    "SecretHidden": "secret-not-found",
    "NoSuchVersion": "no-such-version",
    "SecretDeleted": "secret-deleted",
    "SecretExpired": "secret-expired",
    "SecretDestroyed": "secret-destroyed",
    "AlreadyRead": "secret-already-read",
    "TokenNotFound": "token-not-found",
    "PathTaken": "path-taken",
    "VersionConflict": "version-conflict",
    "BatchFailed": "batch-failed",
    "CannotDecrypt": "cannot-decrypt",
    "Tampered": "record-tampered",
    "UnknownKey": "unknown-key",
    "Unavailable": "unavailable",
    "StoreUnavailable": "database-unavailable",
    "AuditUnavailable": "audit-unavailable",
    "KeyRingMismatch": "key-ring-mismatch",
    "RestoreUnfinished": "restore-unfinished",
}
# Only those that derive from them are raised.
BASES = {"InputRefused", "Unauthenticated", "CannotDecrypt", "Unavailable"}
# Never in an answer.
ELSEWHERE = {"VaultError", "ConfigurationError", "ImportFormatError", "BatchFailed"}


def kinds(base: type[errors.VaultError]) -> list[type[errors.VaultError]]:
    """Return a class and all that derive from it."""
    return [base, *(kind for derived in base.__subclasses__() for kind in kinds(derived))]


def test_the_table_covers_every_error_of_the_domain() -> None:
    """But for those that only commands meet, BatchFailed, whose cause is in it, and two bases."""
    uncovered = {kind for kind in kinds(errors.VaultError) if not STATUS.keys() & set(kind.__mro__)}
    commands = {errors.ConfigurationError, errors.ImportFormatError}

    assert {errors.VaultError, errors.InputRefused, errors.BatchFailed} | commands == uncovered


def test_each_kind_of_error_has_a_word_that_stays() -> None:
    """One each; but who may not see a secret cannot tell that from one that is not there."""
    assert KINDS == {kind.__name__: kind.kind for kind in kinds(errors.VaultError)}
    told = [word for name, word in KINDS.items() if name != "SecretHidden"]
    assert len(set(told)) == len(told)
    assert all(re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", word) for word in told)


def test_the_reference_lists_every_type_with_its_status() -> None:
    """None that is never sent, and none left out."""
    page = (ROOT / "docs/reference/problems.md").read_text()
    table = re.findall(r"^\| `/problems/(\S+)` \| (\d+) \|", page, re.MULTILINE)

    sent = {
        (kind.kind, str(STATUS[next(base for base in kind.__mro__ if base in STATUS)].value))
        for kind in kinds(errors.VaultError)
        if kind.__name__ not in BASES | ELSEWHERE
    }
    assert sent == set(table)
    assert len(sent) == len(table)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("POST", "/vault/secret/nothing", 404),
        ("GET", "/docs/../service/app.py", 404),
        ("GET", "/docs/nothing.js", 404),
        ("POST", "//vault/secret/create/", 404),
        ("GET", "/vault/secret/create/", 405),
        ("DELETE", "/vault/secret/fetch", 405),
        ("POST", "/healthz", 405),
    ],
)
def test_unknown_routes_and_methods(client: FlaskClient, method: str, path: str, status: int) -> None:
    """JSON like everything else, and a 405 names what is allowed."""
    response = client.open(path, method=method)

    assert (status, "application/problem+json") == (response.status_code, response.content_type)
    assert response.json["detail"]
    assert "about:blank" == response.json["type"]
    assert (status == 405) == ("Allow" in response.headers)


def test_an_unforeseen_error_says_nothing_of_itself(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    """No message, no stack trace: only the id under which the log has the place."""
    app: Flask = client.application
    app.view_functions["operations.healthz"] = lambda: int("hunter2")

    response = client.get("/healthz")

    assert (500, "application/problem+json") == (response.status_code, response.content_type)
    assert "hunter2" not in response.text
    assert "Traceback" not in response.text
    assert response.json["request_id"] in [getattr(record, "request_id", None) for record in caplog.records]
    assert "about:blank" == response.json["type"]


def documented(node: Any) -> Iterator[dict[str, Any]]:
    """Yield the examples of problem documents in an OpenAPI document, those inside batches included."""
    if isinstance(node, dict):
        if {"type", "status", "detail"} <= node.keys():
            yield node
        for value in node.values():
            yield from documented(value)
    elif isinstance(node, list):
        for value in node:
            yield from documented(value)


def test_documents_the_types_that_are_sent(
    guarded: FlaskClient, give: Callable[..., str], database: Database, indexed: None
) -> None:
    """Each example in /openapi.json, beside what really comes with the same status."""
    admin, short = give("admin"), give("fetch:*")
    unknown = str(uuid.uuid4())
    ask(guarded, "create/", admin, secret="YQ==", path="taken")
    altered = ask(guarded, "create/", admin, secret="YQ==", path="altered").json["secret_id"]
    database.secrets.update_one({"_id": altered}, {"$set": {"versions.0.payload": b"\x01altered"}})

    def send(**request: Any) -> TestResponse:
        return guarded.post("/vault/secret/create/", headers={"Authorization": f"Bearer {admin}"}, **request)

    answers = [
        send(data="{", content_type="application/json"),
        ask(guarded, "create/", admin, secret="a"),
        ask(guarded, "fetch", path="taken"),
        ask(guarded, "create/", short, secret="YQ==", path="x"),
        ask(guarded, "create/", admin, secret="A" * 90_000),
        send(data="{}"),
        ask(guarded, "fetch", admin, path=1),
        ask(guarded, "fetch", admin, secret_id=unknown),
        post(guarded, "/vault/token/describe", {"token_id": 16 * "0"}, admin),
        ask(guarded, "create/", admin, secret="YQ==", path="taken"),
        ask(guarded, "update", admin, path="taken", secret="YQ==", expected_version=7),
        ask(guarded, "fetch", admin, secret_id=altered),
        guarded.get("/readyz", environ_overrides={"REMOTE_ADDR": "192.0.2.1"}),
    ]
    limited = give("fetch:*", rate_limit=1)
    answers += [ask(guarded, "fetch", limited, path="taken") for _ in range(2)]
    database.command("collMod", "audit_logs", validator={"never": {"$exists": True}})
    answers += [ask(guarded, "fetch", admin, path="taken"), guarded.get("/readyz")]
    database.command("collMod", "audit_logs", validator={})

    def sort(problem: dict[str, Any]) -> tuple[str, int]:
        return problem["type"], problem["status"]

    sent = {sort(answer.json) for answer in answers if answer.status_code >= 400}
    examples = list(documented(json.loads(guarded.get("/openapi.json").text)["paths"]))
    assert sent == {sort(example) for example in examples}
    assert {"/problems/secret-not-found"} == {
        example["type"] for example in examples if example["detail"] == "Secret not found"
    }


def test_a_type_tells_no_more_than_the_message(guarded: FlaskClient, give: Callable[..., str]) -> None:
    """Who reaches a secret learns what became of it; others get the type of one that never was."""
    admin, stranger = give("admin"), give("fetch:other/*")
    ask(guarded, "create/", admin, secret="YQ==", path="team/gone")
    ask(guarded, "delete", admin, path="team/gone")

    assert "/problems/secret-deleted" == ask(guarded, "fetch", admin, path="team/gone").json["type"]
    hidden, unknown = (
        ask(guarded, "fetch", stranger, path=path).json | {"request_id": None}
        for path in ("team/gone", "team/never")
    )
    assert "/problems/secret-not-found" == hidden["type"]
    assert hidden == unknown
    batch = post(guarded, "/vault/secret/fetch/batch", {"secrets": [{"path": "team/gone"}]}, stranger).json
    assert [("/problems/secret-not-found", 404)] == [(one["type"], one["status"]) for one in batch["secrets"]]

    assert "/problems/malformed-token" == ask(guarded, "fetch", "smt_", path="x").json["type"]
    for token_id in (id_of(admin), 16 * "1"):
        guess = Credential(token_id, bytes(32)).text
        assert "/problems/invalid-token" == ask(guarded, "fetch", guess, path="x").json["type"]
