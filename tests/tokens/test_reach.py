"""tokens.reach: which tokens reach a secret."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database

from service.models import now
from service.store.store import Store
from service.tokens import reach
from tests.calls import TOKEN, WHOAMI, ask, id_of, post

PATH = "team/app/db"


def seen(client: FlaskClient, token: str, path: str = PATH) -> tuple[set[tuple[str, str]], bool]:
    """Return which tokens reach a path through which scope, and whether these are all."""
    answer = ask(client, "access", token, path=path)
    assert 200 == answer.status_code, answer.text
    return {(each["token_id"], each["through"]) for each in answer.json["tokens"]}, answer.json["complete"]


def test_administrators_see_all_who_reach_a_path(
    guarded: FlaskClient, give: Callable[..., str], store: Store, database: Database
) -> None:
    """Living tokens only, whatever their pattern; an altered one is refused, so it reaches nothing."""
    admin = give("admin")
    scopes = (f"fetch:{PATH}", "update:team/app/*", "list:team/*", "delete:*", "deliver:team/app/*")
    expected = {(id_of(give(scope)), scope) for scope in scopes} | {(id_of(admin), "admin")}
    give("fetch:team/app/d", "fetch:team/app/db/*", "fetch:team/a/*", "fetch:other/*", "audit", "token")
    give("fetch:*", expires_in=-1)
    store.tokens.revoke([id_of(give("fetch:*"))], now())
    used_up = give("fetch:*", max_uses=1)
    post(guarded, WHOAMI, None, used_up)
    altered = give("audit")
    database.tokens.update_one({"_id": id_of(altered)}, {"$set": {"scopes": ["fetch:*"]}})

    assert (expected, True) == seen(guarded, admin)
    assert {(id_of(admin), "admin")} < seen(guarded, admin, "a")[0]
    shown: list[dict[str, Any]] = ask(guarded, "access", admin, path=PATH).json["tokens"]
    assert ["test"] == sorted({each["name"] for each in shown})
    assert [["create", "delete", "fetch", "list", "update"]] == [
        each["actions"] for each in shown if each["through"] == "admin"
    ]


def test_others_see_their_own_and_those_made_with_them(
    guarded: FlaskClient, give: Callable[..., str]
) -> None:
    """And are told that there may be more."""
    mine = give("list:team/*", "fetch:team/*", "token")
    body = {"name": "child", "scopes": ["fetch:team/app/*"]}
    child = post(guarded, TOKEN + "create", body, mine).json["token_id"]
    give("fetch:*")

    expected = {(id_of(mine), "list:team/*"), (id_of(mine), "fetch:team/*"), (child, "fetch:team/app/*")}
    assert (expected, False) == seen(guarded, mine)


def test_takes_the_scope_to_list_the_path(guarded: FlaskClient, give: Callable[..., str]) -> None:
    """Whether there is a secret or not."""
    for scope in ("fetch:*", "list:other/*"):
        assert 403 == ask(guarded, "access", give(scope), path=PATH).status_code
    assert 422 == ask(guarded, "access", give("admin"), path="a//b").status_code


def test_too_many_are_not_complete(
    guarded: FlaskClient, give: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first are shown."""
    monkeypatch.setattr(reach, "MAX_TOKENS", 2)
    admin = give("admin")
    give("fetch:*")
    assert seen(guarded, admin)[1]
    give("fetch:*")

    found, complete = seen(guarded, admin)

    assert (2, False) == (len(found), complete)
