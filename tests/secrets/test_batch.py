"""secrets.batch: several secrets in one call, independent of each other or all or nothing."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database

from tests.calls import OF_CALLERS, ask

ONE, TWO = (base64.b64encode(value).decode() for value in (b"one", b"two"))


@pytest.fixture
def token(give: Callable[..., str], indexed: None) -> str:
    """A token for the paths below team."""
    return give("create:team/*", "fetch:team/*", "list:team/*")


def records(database: Database) -> list[tuple[str, str | None, str | None]]:
    """Return operation, reason and path of all records, and delete them."""
    found = list(database.audit_logs.find(OF_CALLERS, sort=[("_id", 1)]))
    database.audit_logs.delete_many({})
    return [(record["operation"], record["reason"], record["path"]) for record in found]


def batch(*paths: str, **more: Any) -> dict[str, Any]:
    """Return the body that creates a secret at each path."""
    return {"secrets": [{"secret": ONE, "path": path} for path in paths], **more}


def test_secrets_are_created_independently(guarded: FlaskClient, token: str, database: Database) -> None:
    """Each has its own result and its own record; a failure does not affect the others."""
    ask(guarded, "create/", token, secret=ONE, path="team/taken")
    database.audit_logs.delete_many({})

    answer = ask(guarded, "create/batch", token, **batch("team/a", "team/taken", "other/b", "team/c"))

    assert 200 == answer.status_code
    assert [None, 409, 403, None] == [result.get("status") for result in answer.json["secrets"]]
    assert [1, 1] == [result["version"] for result in answer.json["secrets"] if "version" in result]
    assert [
        ("create", None, "team/a"),
        ("create", "path taken", "team/taken"),
        ("create", "forbidden", "other/b"),
        ("create", None, "team/c"),
    ] == records(database)
    assert ["team/a", "team/c", "team/taken"] == database.secrets.distinct("path")


@pytest.mark.parametrize(
    ("culprit", "status", "reason"), [("team/taken", 409, "path taken"), ("other/b", 403, "forbidden")]
)
def test_all_are_created_or_none(
    guarded: FlaskClient, token: str, database: Database, culprit: str, status: int, reason: str
) -> None:
    """The response names the secret that failed; the records of the others say that another one failed."""
    ask(guarded, "create/", token, secret=ONE, path="team/taken")
    database.audit_logs.delete_many({})

    refused = ask(guarded, "create/batch", token, **batch("team/a", culprit, "team/c", all_or_nothing=True))

    assert (status, True, True) == (
        refused.status_code,
        refused.json["detail"].startswith("secrets[1]: "),
        refused.json["detail"].endswith("; nothing in the batch was done"),
    )
    another = "another one of the batch failed"
    assert [("create", another), ("create", reason), ("create", another)] == [
        record[:2] for record in records(database)
    ]
    assert ["team/taken"] == database.secrets.distinct("path")

    done = ask(guarded, "create/batch", token, **batch("team/a", "team/c", all_or_nothing=True))
    assert (200, 2) == (done.status_code, len(done.json["secrets"]))
    assert [("create", None, "team/a"), ("create", None, "team/c")] == records(database)


def test_two_of_one_batch_cannot_have_one_path(guarded: FlaskClient, token: str, database: Database) -> None:
    """The second fails the whole batch if it is all or nothing, otherwise only itself."""
    twice = batch("team/a", "team/a")

    assert 409 == ask(guarded, "create/batch", token, **twice, all_or_nothing=True).status_code
    assert 0 == database.secrets.count_documents({})
    results = ask(guarded, "create/batch", token, **twice).json["secrets"]
    assert [None, 409] == [result.get("status") for result in results]


def test_what_cannot_be_read_is_refused_as_a_whole(
    guarded: FlaskClient, token: str, database: Database
) -> None:
    """One invalid item, such as malformed base64 or an unknown field, rejects the whole body."""
    for wrong, status in (({"secret": "?"}, 400), ({"secret": ONE, "x": 1}, 422), ({}, 422)):
        body = {"secrets": [{"secret": ONE}, wrong]}
        assert status == ask(guarded, "create/batch", token, **body).status_code
    assert 0 == database.secrets.count_documents({})


def test_an_invalid_item_has_errors_by_field(guarded: FlaskClient, token: str) -> None:
    """Its result is the same as that of a single call."""
    (result,) = ask(
        guarded, "create/batch", token, secrets=[{"secret": ONE, "path": "team/a", "labels": {"k": token}}]
    ).json["secrets"]

    assert (422, ["labels"]) == (result["status"], list(result["errors"]))
    assert token not in str(result)


def test_all_are_fetched_or_none(guarded: FlaskClient, token: str, database: Database) -> None:
    """If none is fetched, no read is used up."""
    ask(guarded, "create/", token, secret=ONE, path="team/a", max_reads=1)
    ask(guarded, "create/", token, secret=TWO, path="team/b")
    both = [{"path": "team/a"}, {"path": "team/b"}]
    database.audit_logs.delete_many({})

    refused = ask(guarded, "fetch/batch", token, secrets=[*both, {"path": "team/c"}], all_or_nothing=True)

    assert (404, "secrets[2]: Secret not found; nothing in the batch was done") == (
        refused.status_code,
        refused.json["detail"],
    )
    assert ONE not in refused.text
    another = "another one of the batch failed"
    assert [
        ("fetch", another, "team/a"),
        ("fetch", another, "team/b"),
        ("fetch", "not found", "team/c"),
    ] == records(database)
    twice = ask(guarded, "fetch/batch", token, secrets=[*both, {"path": "team/a"}], all_or_nothing=True)
    assert "secrets[2]: Secret not found: it was already read" in twice.json["detail"]

    done = ask(guarded, "fetch/batch", token, secrets=both, all_or_nothing=True)
    assert [ONE, TWO] == [result["secret"] for result in done.json["secrets"]]
    assert 404 == ask(guarded, "fetch", token, path="team/a").status_code


def test_a_batch_takes_reads_one_by_one(guarded: FlaskClient, token: str) -> None:
    """A secret with two reads left that is named three times is returned twice."""
    ask(guarded, "create/", token, secret=ONE, path="team/a", max_reads=2)

    results = ask(guarded, "fetch/batch", token, secrets=[{"path": "team/a"}] * 3).json["secrets"]

    assert [(ONE, 1), (ONE, 0), (None, None)] == [
        (result.get("secret"), result.get("reads_left")) for result in results
    ]
    assert "already read" in results[2]["detail"]


def test_a_batch_takes_versions(guarded: FlaskClient, token: str, give: Callable[..., str]) -> None:
    """Versions of the same secret and of others, in any order."""
    ask(guarded, "create/", token, secret=ONE, path="team/a")
    ask(guarded, "update", give("update:*"), secret=TWO, path="team/a")
    ask(guarded, "create/", token, secret=ONE, path="team/b")

    for more in ({}, {"all_or_nothing": True}):
        results = ask(
            guarded,
            "fetch/batch",
            token,
            secrets=[{"path": "team/a"}, {"path": "team/b"}, {"path": "team/a", "version": 1}],
            **more,
        ).json["secrets"]
        assert [(2, TWO), (1, ONE), (1, ONE)] == [(result["version"], result["secret"]) for result in results]
