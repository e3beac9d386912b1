"""api.audit.views: auditors search the audit log and verify that it is unaltered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database

from tests.calls import CREATE, FETCH, id_of, post

SEARCH, VERIFY = "/vault/audit/search", "/vault/audit/verify"
START = datetime(2026, 1, 31, tzinfo=UTC)


def search(client: FlaskClient, token: str | None = None, **query: Any) -> list[dict[str, Any]]:
    """Return the records of all pages."""
    records: list[dict[str, Any]] = []
    for page in pages(client, token, **query):
        records += page["records"]
    return records


def pages(client: FlaskClient, token: str | None = None, **query: Any) -> Iterator[dict[str, Any]]:
    """Return all pages of a search."""
    cursor: dict[str, Any] = {}
    while True:
        answer = post(client, SEARCH, query | cursor, token)
        assert 200 == answer.status_code, answer.text
        yield answer.json
        if answer.json["cursor"] is None:
            return
        cursor = {"cursor": answer.json["cursor"]}


def test_finds_who_read_a_secret(guarded: FlaskClient, give: Callable[..., str]) -> None:
    """By path or id, with every field of the record."""
    owner, reader, auditor = give("create:*"), give("fetch:*"), give("audit")
    secret_id = post(guarded, CREATE, {"secret": "YQ==", "path": "a"}, owner).json["secret_id"]
    post(guarded, FETCH, {"path": "a"}, reader, address="192.0.2.7")
    post(guarded, FETCH, {"path": "b"}, reader, address="192.0.2.8")

    (record,) = search(guarded, auditor, path="a", operation="fetch")

    assert {
        "secret_id": secret_id,
        "path": "a",
        "new_path": None,
        "token_id": None,
        "grant_id": None,
        "version": None,
        "service": None,
        "service_id": None,
        "task_id": None,
        "node_id": None,
        "docker_secret": None,
        "api": None,
        "role_id": None,
        "accessor": None,
        "operation": "fetch",
        "client_ip": "192.0.2.7",
        "status": "success",
        "reason": None,
        "count": None,
        "actor": id_of(reader),
        "authentic": True,
    } == {name: record[name] for name in record if name not in ("record_id", "timestamp", "request_id")}
    assert [record] == search(guarded, auditor, secret_id=secret_id, actor=id_of(reader))
    assert ["192.0.2.8"] == [failed["client_ip"] for failed in search(guarded, auditor, status="failure")]
    assert [] == search(guarded, auditor, until="2026-01-01T00:00:00+00:00")


def test_needs_the_scope_audit_and_is_recorded(
    guarded: FlaskClient, give: Callable[..., str], database: Database
) -> None:
    """Administrators have it too; others are refused, which is recorded as well."""
    tokens = [give("audit"), give("admin"), give("fetch:*", "token"), None]

    for path in (SEARCH, VERIFY):
        assert [200, 200, 403, 401] == [post(guarded, path, {}, token).status_code for token in tokens]
    for operation in ("audit_search", "audit_verify"):
        assert [2, 2] == [
            database.audit_logs.count_documents({"operation": operation, "status": status})
            for status in ("success", "failure")
        ]


def test_marks_records_that_the_service_did_not_write(client: FlaskClient, database: Database) -> None:
    """Made up, moved or altered, each in whatever form; the others are not marked."""
    for name in ("genuine", "altered", "moved"):
        post(client, CREATE, {"secret": "YQ==", "path": name})
    stored = {name: database.audit_logs.find_one({"path": name}) for name in ("genuine", "altered", "moved")}
    database.audit_logs.update_one({"path": "altered"}, {"$set": {"client_ip": "192.0.2.66"}})
    database.audit_logs.delete_one({"path": "moved"})
    database.audit_logs.insert_many(
        [
            {**stored["moved"], "_id": stored["moved"]["_id"][:-1] + "9"},
            {**stored["genuine"], "_id": 7, "path": "copied"},
            {**_document(1, START), "path": "made up"},
            {**stored["genuine"], "_id": "x", "path": "odd", "mac": 5, "actor": {"a": "b"}},
            {**stored["genuine"], "_id": "y", "path": "odder", "reason": [float("nan")]},
        ]
    )

    marks = {record["path"]: record["authentic"] for record in search(client)}

    assert {
        "genuine": True,
        "altered": False,
        "moved": False,
        "copied": False,
        "made up": False,
        "odd": False,
        "odder": False,
    } == {path: mark for path, mark in marks.items() if path is not None}


def test_a_replica_verifies_for_one_caller_at_a_time(guarded: FlaskClient, give: Callable[..., str]) -> None:
    """A long log keeps it busy for a minute; who may not verify is refused as ever."""
    verification = guarded.application.extensions["secret-manager"].verification
    auditor = give("audit")

    with verification.hold():
        busy = post(guarded, VERIFY, {}, auditor)
        assert (429, "10") == (busy.status_code, busy.headers["Retry-After"])
        assert 403 == post(guarded, VERIFY, {}, give("fetch:*")).status_code
    assert 200 == post(guarded, VERIFY, {}, auditor).status_code


def test_refuses_an_invalid_cursor(client: FlaskClient) -> None:
    """Like list: 422."""
    for cursor in ("", "AQ", "!", "AX____________", "AX________8"):
        assert 422 == post(client, SEARCH, {"cursor": cursor}).status_code, cursor


@pytest.mark.parametrize("limit", [1, 3, 7, 1000])
def test_pages_contain_every_record_once_newest_first(
    client: FlaskClient, database: Database, limit: int
) -> None:
    """Even if many have the same millisecond."""
    database.audit_logs.insert_many(
        [_document(number, START + timedelta(milliseconds=number // 5)) for number in range(52)]
    )

    records = search(client, limit=limit, since=START.isoformat(), until="2026-02-01T00:00:00+00:00")

    assert 52 == len({record["request_id"] for record in records}) == len(records)
    times = [record["timestamp"] for record in records]
    assert sorted(times, reverse=True) == times


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"actor": "a1"},
        {"operation": "o1"},
        {"secret_id": "s1"},
        {"path": "p1"},
        {"client_ip": "c1"},
        {"status": "failure"},
        {"actor": "a1", "status": "failure"},
        {"service": "v1"},
        {"task_id": "t1"},
        {"node_id": "n1", "operation": "o1"},
        {"actor": "a1", "operation": "o1", "secret_id": "s1", "path": "p1", "client_ip": "c1"},
    ],
    ids=str,
)
def test_a_page_costs_the_same_however_many_there_are(
    client: FlaskClient, indexed: None, database: Database, query: dict[str, str]
) -> None:
    """The database examines as many documents as the page has, and sorts nothing, says its profiler."""
    database.audit_logs.insert_many(
        [_document(number, START + timedelta(seconds=number)) for number in range(3000)]
    )
    first = post(client, SEARCH, {**query, "limit": 10}).json
    for where in ({"until": (START + timedelta(seconds=2000)).isoformat()}, {"cursor": first["cursor"]}):
        database["system.profile"].drop()
        database.command("profile", 2)
        page = post(client, SEARCH, {**query, **where, "since": START.isoformat(), "limit": 10}).json
        database.command("profile", 0)
        profile = list(database["system.profile"].find({"ns": "vault.audit_logs", "op": "query"}))
        assert 10 == len(page["records"])
        assert {True} == {entry["planSummary"].startswith("IXSCAN") for entry in profile}
        assert not any(entry.get("hasSortStage") for entry in profile)
        assert 12 >= sum(entry["docsExamined"] for entry in profile), profile


def _document(number: int, at: datetime) -> dict[str, Any]:
    group = number % 4
    return {
        "_id": number,
        "timestamp": at,
        "actor": f"a{group}",
        "operation": f"o{group}",
        "secret_id": f"s{group}",
        "path": f"p{group}",
        "client_ip": f"c{group}",
        "status": "failure" if group == 1 else "success",
        "service": f"v{group}",
        "task_id": f"t{group}",
        "node_id": f"n{group}",
        "request_id": str(number),
    }


def test_verifies(client: FlaskClient, database: Database) -> None:
    """An unaltered log, and one with an altered record and a malformed checkpoint."""
    for _ in range(3):
        post(client, CREATE, {"secret": "YQ=="})
    answer = post(client, VERIFY, {}).json
    assert (True, 4, 1, 1, []) == (
        answer["fine"],
        answer["records"],
        answer["chains"],
        answer["open"],
        answer["findings"],
    )

    database.audit_logs.update_one({"operation": "create"}, {"$set": {"actor": "somebody"}})
    answer = post(client, VERIFY, {"checkpoints": [{"number": 1}]}).json

    altered = database.audit_logs.find_one({"actor": "somebody"})["_id"]
    assert (False, {"altered": 2}) == (answer["fine"], answer["found"])
    assert ["saved checkpoint 1", altered] == [finding["first"] for finding in answer["findings"]]
