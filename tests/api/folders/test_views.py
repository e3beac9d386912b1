"""api.folders: options for all secrets in a folder."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database
from werkzeug.test import TestResponse

from service.secrets import folder_defaults, folders
from tests.calls import OF_CALLERS, ask, post


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for other processes: there are none."""
    monkeypatch.setattr(folder_defaults, "HOLD_SECONDS", 0)
    monkeypatch.setattr(folders, "HOLD_SECONDS", 0)


@pytest.fixture
def call(guarded: FlaskClient, give: Callable[..., str]) -> Callable[..., TestResponse]:
    """Return a function that calls an operation on folders, as an administrator unless it gives a scope."""
    return lambda operation, scope="admin", **body: post(
        guarded, f"/vault/folder/{operation}", body, give(scope)
    )


def test_sets_and_describes(call: Callable[..., Any], database: Database) -> None:
    """What is not sent stays; the record has the folder as its path."""
    call("configure", prefix="team", max_versions=3)
    configured = call("configure", prefix="team/", delete_version_after=60)

    expected = {"max_versions": 3, "cas_required": False, "delete_version_after": 60}
    assert (200, expected) == (configured.status_code, configured.json)
    assert expected == call("describe", "fetch:team/app", prefix="team/").json
    assert expected | {"max_versions": 0, "delete_version_after": None} == call("describe", prefix="").json
    assert {"team/", "/"} == set(database.audit_logs.distinct("path", OF_CALLERS))


def test_who_may(call: Callable[..., Any]) -> None:
    """Whoever has a scope there may read it; only administrators may change it."""
    assert 403 == call("describe", "fetch:other/*", prefix="team/").status_code
    assert 403 == call("configure", "update:*", prefix="team/", max_versions=3).status_code


@pytest.mark.parametrize("body", [{}, {"prefix": "a b"}, {"prefix": "", "max_versions": 101}, {"prefix": 1}])
def test_refuses_bad_input(call: Callable[..., Any], body: dict[str, Any]) -> None:
    """As every other call."""
    assert 422 == call("configure", **body).status_code


def test_secrets_keep_to_it(guarded: FlaskClient, give: Callable[..., str], call: Callable[..., Any]) -> None:
    """Natively as through Vault's clients."""
    token = give("admin")
    ask(guarded, "create/", token, secret="", path="team/a")
    call("configure", prefix="team", cas_required=True)

    refused = ask(guarded, "update", token, path="team/a", secret="")

    assert (422, "expected_version") == (refused.status_code, *refused.json["errors"])
    assert 200 == ask(guarded, "update", token, path="team/a", secret="", expected_version=1).status_code
