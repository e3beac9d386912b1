"""api.audit.views: with ``audit:PATTERN``, what the log has about these paths, and nothing else of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database

from service.access import scopes
from tests.calls import APPROLE, CREATE, SESSION, TOKEN, id_of, post

SEARCH, VERIFY, STATUS = "/vault/audit/search", "/vault/audit/verify", "/vault/status"
PATHS = ("team", "team/a", "team/app/a", "teams/a", "other/a", "a/team/a", None)
PATTERNS = ("*", "team/*", "team/app/*", "team/a", "team", "other/*", "nobody/*")


def search(client: FlaskClient, token: str, **query: Any) -> list[dict[str, Any]]:
    """Return the records of the only page."""
    answer = post(client, SEARCH, {"limit": 1000} | query, token)
    assert 200 == answer.status_code, answer.text
    assert answer.json["cursor"] is None
    return list(answer.json["records"])


@pytest.fixture
def moves(database: Database) -> list[tuple[str | None, str | None]]:
    """Records that name every path, and each pair of them as a move."""
    named = list(itertools.product(PATHS, repeat=2))
    database.audit_logs.insert_many(
        [
            {
                "timestamp": datetime(2026, 1, 31, tzinfo=UTC),
                "operation": "update",
                "path": path,
                "client_ip": "192.0.2.7",
                "status": "success",
                "actor": "made up",
                "request_id": str(number),
            }
            | ({} if new_path is None else {"new_path": new_path})
            for number, (path, new_path) in enumerate(named)
        ]
    )
    return named


@pytest.mark.parametrize("held", [*((one,) for one in PATTERNS), ("team/a", "other/*")], ids=" ".join)
def test_shows_what_names_such_a_path_and_no_other_path(
    guarded: FlaskClient,
    give: Callable[..., str],
    moves: list[tuple[str | None, str | None]],
    held: tuple[str, ...],
) -> None:
    """Whatever is searched for; a path that is not theirs is hidden."""
    token = give(*(f"audit:{pattern}" for pattern in held))

    def own(path: str | None) -> str | None:
        return path if path and any(scopes.matches(pattern, path) for pattern in held) else None

    shown = {
        str(number): (own(path), own(new_path))
        for number, (path, new_path) in enumerate(moves)
        if own(path) or own(new_path)
    }
    for query in ({}, {"operation": "update"}, {"client_ip": "192.0.2.7"}, {"status": "success"}):
        found = search(guarded, token, **query, actor="made up")
        assert shown == {record["request_id"]: (record["path"], record["new_path"]) for record in found}, (
            query
        )
    for path in filter(None, PATHS):
        answer = post(guarded, SEARCH, {"path": path, "actor": "made up"}, token)
        if own(path) is None:
            assert f"lacks a scope for this path: audit:{path}" in answer.json["detail"]
            continue
        assert {number: paths for number, paths in shown.items() if path in paths} == {
            record["request_id"]: (record["path"], record["new_path"]) for record in answer.json["records"]
        }


@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_pages_skip_nothing(
    guarded: FlaskClient, give: Callable[..., str], moves: list[tuple[str | None, str | None]], limit: int
) -> None:
    """A page is as long as asked for, however many records of others there are."""
    own, token = give("create:*"), give("audit:team/*")
    for number in range(5):
        post(guarded, CREATE, {"path": f"team/new/{number}", "secret": "YQ=="}, own)
        post(guarded, CREATE, {"path": f"other/new/{number}", "secret": "YQ=="}, own)

    found: list[str] = []
    query: dict[str, Any] = {"actor": id_of(own), "limit": limit}
    while True:
        page = post(guarded, SEARCH, query, token).json
        assert limit == 1000 or page["cursor"] is None or len(page["records"]) >= limit
        found += [record["path"] for record in page["records"]]
        if page["cursor"] is None:
            break
        query["cursor"] = page["cursor"]

    assert [f"team/new/{number}" for number in reversed(range(5))] == found


def test_an_owner_sees_a_move_but_not_where_to(guarded: FlaskClient, give: Callable[..., str]) -> None:
    """And whoever gets it not where from; both see that the record is genuine."""
    admin = give("admin")
    post(guarded, CREATE, {"path": "team/a", "secret": "YQ=="}, admin)
    post(guarded, "/vault/secret/update", {"path": "team/a", "new_path": "other/b"}, admin)

    for pattern, path, new_path in (("team/*", "team/a", None), ("other/*", None, "other/b")):
        (record,) = search(guarded, give(f"audit:{pattern}"), operation="update")
        assert (path, new_path, True) == (record["path"], record["new_path"], record["authentic"])


def test_gives_nothing_else_of_the_log(guarded: FlaskClient, give: Callable[..., str]) -> None:
    """No verification, no status of the service, not even with all paths; and no secret."""
    for pattern in ("*", "team/*", "team/a"):
        token = give(f"audit:{pattern}")
        for path in (VERIFY, STATUS):
            answer = post(guarded, path, {}, token)
            assert (403, "the token lacks a scope for this: audit") == (
                answer.status_code,
                answer.json["detail"],
            )
        for operation in ("fetch", "describe"):
            assert post(guarded, f"/vault/secret/{operation}", {"path": "team/a"}, token).status_code in (
                403,
                404,
            )
        assert 403 == post(guarded, "/vault/secret/list", {}, token).status_code
        assert [] == search(guarded, token, operation="token_create")


def test_what_is_made_from_it_has_no_more(guarded: FlaskClient, give: Callable[..., str]) -> None:
    """Neither a token nor a role; a session is what its token is."""
    maker = give("token", "audit:team/*")

    def make(operation: str, *scope: str) -> int:
        return post(guarded, operation, {"name": "x", "scopes": scope}, maker).status_code

    for operation in (TOKEN + "create", APPROLE + "create"):
        for wider in ("audit", "audit:*", "audit:teams/*", "audit:team", "fetch:team/a"):
            assert 403 == make(operation, wider), wider
    for narrower in ("audit:team/*", "audit:team/app/*", "audit:team/a"):
        assert 200 == make(TOKEN + "create", narrower), narrower
    assert 200 == make(APPROLE + "create", "audit:team/app/*")
    whole = give("token", "audit")
    assert 200 == post(guarded, TOKEN + "create", {"name": "x", "scopes": ["audit:*"]}, whole).status_code

    session = post(guarded, SESSION + "create", {}, maker).json["session"]
    assert 403 == post(guarded, VERIFY, {}, session).status_code
    assert [] == search(guarded, session)


def test_a_stored_scope_cannot_be_widened(
    guarded: FlaskClient, give: Callable[..., str], database: Database
) -> None:
    """By whoever can write to the database: the tag covers the name that is stored."""
    token = give("audit:team/*")
    for text in ("audit", "audit:team/*", "audit_paths:*"):
        database.tokens.update_one({"_id": id_of(token)}, {"$set": {"scopes": [text]}})
        assert 500 == post(guarded, SEARCH, {}, token).status_code, text
