"""api.problems: every error is a problem document, including Flask's own."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service import errors
from service.access.token_format import Credential
from service.api.problems import STATUS
from tests.calls import ask, id_of, post

ROOT = Path(__file__).parents[2]

# Programs compare these.  Add to them, but never change or remove one.
KINDS = {
    "VaultError": "internal-error",
    "ConfigurationError": "start-refused",
    "InputRefused": "input-refused",
    "NotJson": "not-json",
    "EncodedBody": "encoded-body",
    "MalformedJson": "malformed-json",
    "InvalidFields": "invalid-fields",
    "ExpectedVersionRequired": "invalid-fields",
    "InvalidBase64": "invalid-base64",
    "TooLarge": "too-large",
    "UnexpectedHost": "unexpected-host",
    "ImportFormatError": "not-importable",
    "Unauthenticated": "unauthenticated",
    "NoToken": "no-token",
    "MalformedToken": "malformed-token",
    "InvalidToken": "invalid-token",
    "TokenExpired": "token-expired",
    "TokenRevoked": "token-revoked",
    "TokenUsedUp": "token-used-up",
    "SessionEnded": "session-ended",
    "AddressNotAllowed": "address-not-allowed",
    "InvalidLogin": "invalid-login",
    "RoleEnded": "invalid-login",
    "SecretIdEnded": "invalid-login",
    "SecretIdUsedUp": "invalid-login",
    "LoginAddressNotAllowed": "invalid-login",
    "Forbidden": "forbidden",
    "ConfirmationRequired": "confirmation-required",
    "WrongPassphrase": "wrong-passphrase",
    "TooManyRequests": "too-many-requests",
    "SecretNotFound": "secret-not-found",
    "SecretHidden": "secret-not-found",
    "NoSuchVersion": "no-such-version",
    "SecretDeleted": "secret-deleted",
    "SecretExpired": "secret-expired",
    "LimitedReads": "limited-reads",
    "SecretDestroyed": "secret-destroyed",
    "AlreadyRead": "secret-already-read",
    "NotGranted": "not-granted",
    "TokenNotFound": "token-not-found",
    "SessionNotFound": "session-not-found",
    "ShareNotFound": "share-not-found",
    "ShareOpened": "share-opened",
    "ShareEnded": "share-ended",
    "TooManyShares": "too-many-shares",
    "GrantNotFound": "grant-not-found",
    "RoleNotFound": "approle-not-found",
    "SecretIdNotFound": "secret-id-not-found",
    "RoleNameTaken": "approle-name-taken",
    "PathTaken": "path-taken",
    "SecretInUse": "secret-in-use",
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
# Only subclasses of these are raised.
BASES = {"InputRefused", "Unauthenticated", "CannotDecrypt", "Unavailable"}
# Never in a response.
ELSEWHERE = {"VaultError", "ConfigurationError", "ImportFormatError", "BatchFailed"}


def with_subclasses(base: type[errors.VaultError]) -> list[type[errors.VaultError]]:
    """Return a class and all its subclasses."""
    return [base, *(each for derived in base.__subclasses__() for each in with_subclasses(derived))]


def test_the_table_covers_every_error_of_the_domain() -> None:
    """Except those that only commands raise, BatchFailed, whose cause decides, and two base classes."""
    uncovered = {each for each in with_subclasses(errors.VaultError) if not STATUS.keys() & set(each.__mro__)}
    commands = {errors.ConfigurationError, errors.ImportFormatError}

    assert {errors.VaultError, errors.InputRefused, errors.BatchFailed} | commands == uncovered


def test_kinds_are_unique_and_do_not_change() -> None:
    """Only what callers must not tell apart shares its kind, and what they mend in the same way."""
    assert KINDS == {each.__name__: each.kind for each in with_subclasses(errors.VaultError)}
    alike = {"SecretHidden", "ExpectedVersionRequired"}
    alike |= {each.__name__ for each in with_subclasses(errors.InvalidLogin)[1:]}
    kinds = [kind for name, kind in KINDS.items() if name not in alike]
    assert len(set(kinds)) == len(kinds)
    assert all(re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", kind) for kind in kinds)


def test_the_reference_lists_every_type_with_its_status() -> None:
    """It lists exactly the types that can be sent."""
    page = (ROOT / "docs/reference/problems.md").read_text()
    table = re.findall(r"^\| `/problems/(\S+)` \| (\d+) \|", page, re.MULTILINE)

    sent = {
        (each.kind, str(STATUS[next(base for base in each.__mro__ if base in STATUS)].value))
        for each in with_subclasses(errors.VaultError)
        if each.__name__ not in BASES | ELSEWHERE
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
    """Problem documents like every other error; a 405 has the header Allow."""
    response = client.open(path, method=method)

    assert (status, "application/problem+json") == (response.status_code, response.content_type)
    assert response.json["detail"]
    assert "about:blank" == response.json["type"]
    assert (status == 405) == ("Allow" in response.headers)


def test_an_unexpected_error_reveals_no_details(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No message and no stack trace, only the request id to find it in the log."""
    app: Flask = client.application
    monkeypatch.setitem(app.view_functions, "operations.healthz", lambda: int("hunter2"))

    response = client.get("/healthz")

    assert (500, "application/problem+json") == (response.status_code, response.content_type)
    assert "hunter2" not in response.text
    assert "Traceback" not in response.text
    assert response.json["request_id"] in [getattr(record, "request_id", None) for record in caplog.records]
    assert "about:blank" == response.json["type"]


def test_a_type_reveals_no_more_than_the_message(guarded: FlaskClient, give: Callable[..., str]) -> None:
    """Without a scope for a deleted secret, the type is that of a secret that never existed."""
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
    assert [("/problems/secret-not-found", 404)] == [
        (item["type"], item["status"]) for item in batch["secrets"]
    ]

    assert "/problems/malformed-token" == ask(guarded, "fetch", "smt_", path="x").json["type"]
    for token_id in (id_of(admin), 16 * "1"):
        guess = Credential(token_id, bytes(32)).text
        assert "/problems/invalid-token" == ask(guarded, "fetch", guess, path="x").json["type"]
