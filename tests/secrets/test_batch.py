"""vault.batch: several secrets in one call, each for itself or all of them or none."""

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
    """A token for what is below team."""
    return give("create:team/*", "fetch:team/*", "list:team/*")


def records(database: Database) -> list[tuple[str, str | None, str | None]]:
    """Return operation, reason and path of all records, and forget them."""
    found = list(database.audit_logs.find(OF_CALLERS, sort=[("_id", 1)]))
    database.audit_logs.delete_many({})
    return [(record["operation"], record["reason"], record["path"]) for record in found]


def batch(*paths: str, **more: Any) -> dict[str, Any]:
    """Return what to create: a secret at each path."""
    return {"secrets": [{"secret": ONE, "path": path} for path in paths], **more}


def test_each_is_created_for_itself(guarded: FlaskClient, token: str, database: Database) -> None:
    """Each with its own result and its own record; one that fails is no matter to the others."""
    ask(guarded, "create/", token, secret=ONE, path="team/taken")
    database.audit_logs.delete_many({})

    answer = ask(guarded, "create/batch", token, **batch("team/a", "team/taken", "other/b", "team/c"))

    assert 200 == answer.status_code
    assert [None, 409, 403, None] == [one.get("status") for one in answer.json["secrets"]]
    assert [1, 1] == [one["version"] for one in answer.json["secrets"] if "version" in one]
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
    """The answer names the one that was in the way; the records of the others say that it was another."""
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
    """The second is in the way of both, or only of itself."""
    twice = batch("team/a", "team/a")

    assert 409 == ask(guarded, "create/batch", token, **twice, all_or_nothing=True).status_code
    assert 0 == database.secrets.count_documents({})
    results = ask(guarded, "create/batch", token, **twice).json["secrets"]
    assert [None, 409] == [one.get("status") for one in results]


def test_what_cannot_be_read_is_refused_as_a_whole(
    guarded: FlaskClient, token: str, database: Database
) -> None:
    """A body is a request or it is none: one value that is no base64, one field too many."""
    for wrong, status in (({"secret": "?"}, 400), ({"secret": ONE, "x": 1}, 422), ({}, 422)):
        body = {"secrets": [{"secret": ONE}, wrong]}
        assert status == ask(guarded, "create/batch", token, **body).status_code
    assert 0 == database.secrets.count_documents({})


def test_one_that_does_not_fit_says_in_what(guarded: FlaskClient, token: str) -> None:
    """Its result has the errors by field, as if it had been alone."""
    (result,) = ask(
        guarded, "create/batch", token, secrets=[{"secret": ONE, "path": "team/a", "labels": {"k": token}}]
    ).json["secrets"]

    assert (422, ["labels"]) == (result["status"], list(result["errors"]))
    assert token not in str(result)


def test_all_are_fetched_or_none(guarded: FlaskClient, token: str, database: Database) -> None:
    """And where none is, no read is used up."""
    ask(guarded, "create/", token, secret=ONE, path="team/a", max_reads=1)
    ask(guarded, "create/", token, secret=TWO, path="team/b")
    wanted = [{"path": "team/a"}, {"path": "team/b"}]
    database.audit_logs.delete_many({})

    refused = ask(guarded, "fetch/batch", token, secrets=[*wanted, {"path": "team/c"}], all_or_nothing=True)

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
    twice = ask(guarded, "fetch/batch", token, secrets=[*wanted, {"path": "team/a"}], all_or_nothing=True)
    assert "secrets[2]: Secret not found: it was already read" in twice.json["detail"]

    done = ask(guarded, "fetch/batch", token, secrets=wanted, all_or_nothing=True)
    assert [ONE, TWO] == [one["secret"] for one in done.json["secrets"]]
    assert 404 == ask(guarded, "fetch", token, path="team/a").status_code


def test_a_batch_takes_reads_one_by_one(guarded: FlaskClient, token: str) -> None:
    """Named three times where there are two reads, it is given twice."""
    ask(guarded, "create/", token, secret=ONE, path="team/a", max_reads=2)

    results = ask(guarded, "fetch/batch", token, secrets=[{"path": "team/a"}] * 3).json["secrets"]

    assert [(ONE, 1), (ONE, 0), (None, None)] == [
        (one.get("secret"), one.get("reads_left")) for one in results
    ]
    assert "already read" in results[2]["detail"]


def test_a_batch_takes_versions(guarded: FlaskClient, token: str, give: Callable[..., str]) -> None:
    """Of the same secret and of others, in any order."""
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
        assert [(2, TWO), (1, ONE), (1, ONE)] == [(one["version"], one["secret"]) for one in results]
