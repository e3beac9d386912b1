"""api.problems: every error is a problem document, also those that Flask makes itself."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service import errors
from service.api.problems import STATUS


def kinds(base: type[errors.VaultError]) -> list[type[errors.VaultError]]:
    """Return a class and all that derive from it."""
    return [base, *(kind for derived in base.__subclasses__() for kind in kinds(derived))]


def test_the_table_covers_every_error_of_the_domain() -> None:
    """But for those that only commands meet, BatchFailed, whose cause is in it, and two bases."""
    uncovered = {kind for kind in kinds(errors.VaultError) if not STATUS.keys() & set(kind.__mro__)}
    commands = {errors.ConfigurationError, errors.ImportFormatError}

    assert {errors.VaultError, errors.InputRefused, errors.BatchFailed} | commands == uncovered


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
    assert (status == 405) == ("Allow" in response.headers)


def test_an_unforeseen_error_says_nothing_of_itself(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No message, no stack trace: only the id under which the log has the place."""
    app: Flask = client.application
    monkeypatch.setitem(app.view_functions, "operations.healthz", lambda: int("hunter2"))

    response = client.get("/healthz")

    assert (500, "application/problem+json") == (response.status_code, response.content_type)
    assert "hunter2" not in response.text
    assert "Traceback" not in response.text
    assert response.json["request_id"] in [getattr(record, "request_id", None) for record in caplog.records]
