"""tokens.tokens: whatever descends from a token ends with it, and draws on its limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database
from werkzeug.test import TestResponse

from service.crypto import tags
from service.crypto.keyring import KeyRing
from service.store.store import Store
from tests.calls import CREATE, WHOAMI, id_of, post

TOKEN = "/vault/token/"


@pytest.fixture
def make(guarded: FlaskClient) -> Callable[..., str]:
    """Return a function that creates a token with another one."""

    def make(maker: str, *scopes: str, **request: Any) -> str:
        answer = post(guarded, f"{TOKEN}create", {"name": "x", "scopes": scopes, **request}, maker)
        assert 200 == answer.status_code, answer.text
        return str(answer.json["token"])

    return make


@pytest.fixture
def line(give: Callable[..., str], make: Callable[..., str]) -> list[str]:
    """Four tokens, each created with the one before."""
    made = [give("token", "fetch:*")]
    for scopes in (["token", "fetch:*"], ["token", "fetch:*"], ["fetch:*"]):
        made.append(make(made[-1], *scopes))
    return made


@pytest.fixture
def before_lines(
    guarded: FlaskClient, store: Store, database: Database, ring: KeyRing
) -> Callable[[str], None]:
    """Return a function that stores a token as it was stored before lines of makers were kept."""

    def store_again(token: str) -> None:
        stored = store.tokens.find(id_of(token))
        assert stored is not None
        old = replace(stored.token, makers=None, shared_limits=())
        tag = tags.sign_token(old, stored.digest, ring).tag
        database.tokens.update_one(
            {"_id": id_of(token)}, {"$set": {"tag": tag}, "$unset": {"makers": 1, "shared_limits": 1}}
        )
        # The process has seen it as it was.
        guarded.application.extensions["secret-manager"].authentication.forget(id_of(token))

    return store_again


def revoke(client: FlaskClient, admin: str, token: str, **body: Any) -> TestResponse:
    """Revoke one with the other."""
    return post(client, f"{TOKEN}revoke", {"token_id": id_of(token), **body}, admin)


def works(client: FlaskClient, token: str) -> bool:
    """Return whether the token is accepted."""
    return post(client, WHOAMI, None, token).status_code == 200


@pytest.mark.parametrize("gone", [(1,), (2,), (1, 2)], ids=str)
def test_ends_with_what_it_descends_from_though_those_between_are_gone(
    guarded: FlaskClient, give: Callable[..., str], database: Database, line: list[str], gone: tuple[int, ...]
) -> None:
    """They have expired, or were revoked alone, and MongoDB has removed them."""
    database.tokens.delete_many({"_id": {"$in": [id_of(line[number]) for number in gone]}})

    answer = revoke(guarded, give("admin"), line[0])

    left = [token for number, token in enumerate(line) if number not in gone]
    assert {id_of(token) for token in left} == set(answer.json["revoked"])
    assert len(left) == answer.json["ended"]
    assert not any(works(guarded, token) for token in left)


def test_tokens_from_before_lines_were_kept_end_as_well(
    guarded: FlaskClient,
    give: Callable[..., str],
    make: Callable[..., str],
    before_lines: Callable[[str], None],
    line: list[str],
    database: Database,
) -> None:
    """Along their creators; what they create now knows the whole line, and needs those no more."""
    for token in line[:3]:
        before_lines(token)
    late = make(line[2], "fetch:*")
    database.tokens.delete_one({"_id": id_of(line[1])})

    answer = revoke(guarded, give("admin"), line[0])

    assert {id_of(line[0]), id_of(line[3]), id_of(late)} <= set(answer.json["revoked"])
    assert not works(guarded, late)


def test_a_cycle_in_the_database_ends(
    guarded: FlaskClient,
    give: Callable[..., str],
    before_lines: Callable[[str], None],
    line: list[str],
    database: Database,
) -> None:
    """Whoever writes to it cannot make a revocation run for ever."""
    for token in line:
        before_lines(token)
    database.tokens.update_one({"_id": id_of(line[0])}, {"$set": {"created_by": id_of(line[3])}})

    answer = revoke(guarded, give("admin"), line[1])

    assert {id_of(token) for token in line} == set(answer.json["revoked"])


def test_tokens_from_before_work_as_ever(
    guarded: FlaskClient, before_lines: Callable[[str], None], line: list[str]
) -> None:
    """Their tags cover no line."""
    for token in line:
        before_lines(token)

    assert [True] * 4 == [works(guarded, token) for token in line]


@pytest.mark.parametrize("change", [{"makers": []}, {"makers": None}, {"shared_limits": []}, {"makers": "x"}])
def test_a_line_cannot_be_altered(
    guarded: FlaskClient, make: Callable[..., str], give: Callable[..., str], database: Database, change: Any
) -> None:
    """Nor can the limits that a token shares: whoever writes to the database gets an error."""
    maker = give("token", "fetch:*", rate_limit=100)
    child = make(maker, "fetch:*", rate_limit=100)
    database.tokens.update_one({"_id": id_of(child)}, {"$set": change})
    assert 500 == post(guarded, WHOAMI, None, child).status_code

    database.tokens.update_one({"_id": id_of(child)}, {"$unset": {"makers": 1, "shared_limits": 1}})
    assert 500 == post(guarded, WHOAMI, None, child).status_code


def test_descendants_that_are_kept_go_on(
    guarded: FlaskClient, give: Callable[..., str], make: Callable[..., str], line: list[str]
) -> None:
    """They may create others; a later revocation ends all of them after all."""
    admin = give("admin")
    kept = revoke(guarded, admin, line[0], descendants=False)
    assert ([id_of(line[0])], 1) == (kept.json["revoked"], kept.json["ended"])
    assert [False, True, True, True] == [works(guarded, token) for token in line]
    late = make(line[1], "fetch:*")

    assert 4 == revoke(guarded, admin, line[0]).json["ended"]
    assert [False] * 5 == [works(guarded, token) for token in (*line, late)]


def test_a_line_has_an_end(make: Callable[..., str], guarded: FlaskClient, give: Callable[..., str]) -> None:
    """A record grows with it."""
    token = give("token", "fetch:*")
    for _ in range(32):
        token = make(token, "token", "fetch:*")

    refused = post(guarded, f"{TOKEN}create", {"name": "x", "scopes": ["fetch:*"]}, token)

    assert (403, True) == (refused.status_code, "descends from at most 32 others" in refused.json["detail"])


def test_one_query_ends_all_and_an_index_serves_it(
    guarded: FlaskClient, give: Callable[..., str], line: list[str], indexed: None, database: Database
) -> None:
    """However many tokens there are."""
    database.command("profile", 2)
    revoke(guarded, give("admin"), line[0])
    database.command("profile", 0)

    profile = database["system.profile"].find({"ns": "vault.tokens", "op": {"$in": ["update", "query"]}})
    plans = {each["planSummary"] for each in profile if "planSummary" in each}
    assert "IXSCAN { makers: 1 }" in plans
    assert not [plan for plan in plans if "COLLSCAN" in plan]


def test_calls_draw_on_the_limits_of_all_makers(
    guarded: FlaskClient, give: Callable[..., str], make: Callable[..., str]
) -> None:
    """Twenty children with a limit each are no more than their maker."""
    maker = give("token", "create:*", rate_limit=5)
    children = [make(maker, "create:*", rate_limit=5) for _ in range(3)]  # three of the five calls

    answers = [post(guarded, WHOAMI, None, child) for child in children]

    assert [200, 200, 429] == [answer.status_code for answer in answers]
    assert f"all tokens made with {id_of(maker)} together may make 5 calls" in answers[-1].json["detail"]
    assert 429 == post(guarded, WHOAMI, None, maker).status_code


@pytest.mark.parametrize("call", ["create", "fetch"])
def test_a_batch_counts_for_each_of_its_values(
    guarded: FlaskClient, give: Callable[..., str], database: Database, call: str
) -> None:
    """All or nothing: a batch that is too large takes no use, and none of the calls that follow."""
    secret_id = post(guarded, CREATE, {"secret": "YQ=="}, give("admin")).json["secret_id"]
    item = {"secret": "YQ=="} if call == "create" else {"secret_id": secret_id}
    path = f"/vault/secret/{call}/batch"

    def batch(token: str, size: int) -> int:
        return post(guarded, path, {"secrets": [item] * size}, token).status_code

    used = give("create:*", "fetch:*", max_uses=5)
    assert [401, 200, 401, 200, 401] == [batch(used, size) for size in (6, 3, 3, 2, 1)]
    assert 5 == database.tokens.find_one({"_id": id_of(used)})["uses"]

    limited = give("create:*", "fetch:*", rate_limit=10)
    assert [200, 429, 200, 429] == [batch(limited, size) for size in (6, 5, 3, 1)]


def test_a_refused_batch_takes_nothing_from_any_limit(
    guarded: FlaskClient, give: Callable[..., str], make: Callable[..., str], database: Database
) -> None:
    """Not from the makers' either, which were asked first."""
    maker = give("token", "create:*", rate_limit=20)
    child = make(maker, "create:*", rate_limit=5)
    body = {"secrets": [{"secret": "YQ=="}] * 6}

    assert 429 == post(guarded, "/vault/secret/create/batch", body, child).status_code

    counts = {
        each["_id"].split(" ")[1]: each["count"]
        for each in database.attempts.find({"_id": {"$regex": "^calls "}})
    }
    assert {id_of(maker): 2, id_of(child): 1} == counts


def test_a_line_is_not_continued_from_an_altered_token(
    guarded: FlaskClient, before_lines: Callable[[str], None], line: list[str], database: Database
) -> None:
    """Its creator decides what ends with it."""
    for token in line[:3]:
        before_lines(token)
    database.tokens.update_one({"_id": id_of(line[1])}, {"$set": {"created_by": "operator"}})

    answer = post(guarded, f"{TOKEN}create", {"name": "x", "scopes": ["fetch:*"]}, line[2])

    assert 500 == answer.status_code
