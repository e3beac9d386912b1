"""api.problems: every error is a problem document, including Flask's own."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service import errors
from service.api.problems import STATUS


def with_subclasses(base: type[errors.VaultError]) -> list[type[errors.VaultError]]:
    """Return a class and all its subclasses."""
    return [base, *(each for derived in base.__subclasses__() for each in with_subclasses(derived))]


def test_the_table_covers_every_error_of_the_domain() -> None:
    """Except those that only commands raise, BatchFailed, whose cause decides, and two base classes."""
    uncovered = {each for each in with_subclasses(errors.VaultError) if not STATUS.keys() & set(each.__mro__)}
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
    """Problem documents like every other error; a 405 has the header Allow."""
    response = client.open(path, method=method)

    assert (status, "application/problem+json") == (response.status_code, response.content_type)
    assert response.json["detail"]
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
