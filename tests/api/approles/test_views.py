"""api.approles.views: roles and secret ids, within what the caller's own token holds."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database
from werkzeug.test import TestResponse

from service.approles import roles, secret_ids
from tests.approles.roles import Give, make_role
from tests.calls import APPROLE, FETCH, SECRET, TOKEN, UNKNOWN, WHOAMI, id_of, post

CI = {"name": "ci", "scopes": ["fetch:team/*"]}


@pytest.fixture
def admin(give: Give) -> str:
    """An administrator's token."""
    return give("admin")


@pytest.fixture
def call(guarded: FlaskClient, admin: str) -> Callable[..., TestResponse]:
    """Return a function that calls an operation on AppRoles as the administrator."""

    def call(operation: str, **body: Any) -> TestResponse:
        return post(guarded, APPROLE + operation, body, admin)

    return call


def test_the_life_of_a_role(call: Callable[..., TestResponse], admin: str, database: Database) -> None:
    """Created, described, listed, deleted; each is recorded with the role's id."""
    created = call("create", **CI)
    assert 200 == created.status_code, created.text
    role_id = created.json["role_id"]
    assert {
        **CI,
        "role_id": role_id,
        "expires_in": 1200,
        "renewable": True,
        "max_uses": None,
        "networks": [],
        "rate_limit": None,
        "created_at": created.json["created_at"],
        "created_by": id_of(admin),
        "role_expires_at": None,
        "deleted_at": None,
        "deleted_by": None,
    } == created.json

    assert created.json == call("describe", role="ci").json == call("describe", role=role_id).json
    assert {"roles": [created.json], "altered": [], "next": None} == call("list").json
    assert [{"deleted": role_id}] * 2 == [call("delete", role=role_id).json for _ in range(2)]
    assert [] == call("list").json["roles"]
    assert 404 == call("describe", role="ci").status_code
    deleted = call("describe", role=role_id).json
    assert (id_of(admin), True) == (deleted["deleted_by"], deleted["deleted_at"] is not None)

    recorded = list(database.audit_logs.find({"operation": {"$regex": "^approle_"}}, sort=[("_id", 1)]))
    assert ["create", "describe", "describe", "list", "delete", "delete", "list", "describe", "describe"] == [
        record["operation"].removeprefix("approle_") for record in recorded
    ]
    assert {role_id, None} == {record.get("role_id") for record in recorded}


def test_the_life_of_a_secret_id(call: Callable[..., TestResponse], admin: str, database: Database) -> None:
    """Created, listed, revoked; only the first answer has it."""
    role_id = call("create", **CI).json["role_id"]
    created = call("secret-id/create", role="ci", max_uses=2, networks=["10.0.0.0/8"]).json
    text = created.pop("secret_id")
    assert (None, id_of(text)) == (created.pop("wrapped"), created["accessor"])
    assert {
        "accessor": id_of(text),
        "role_id": role_id,
        "expires_at": None,
        "max_uses": 2,
        "uses": 0,
        "used_at": None,
        "networks": ["10.0.0.0/8"],
        "created_at": created["created_at"],
        "created_by": id_of(admin),
        "revoked_at": None,
        "revoked_by": None,
    } == created

    listed = call("secret-id/list", role=role_id)
    assert {"secret_ids": [created], "altered": [], "next": None} == listed.json
    for _ in range(2):
        revoked = call("secret-id/revoke", accessor=created["accessor"])
        assert (200, {"revoked": created["accessor"]}) == (revoked.status_code, revoked.json)
    (found,) = call("secret-id/list", role="ci").json["secret_ids"]
    assert (id_of(admin), True) == (found["revoked_by"], found["revoked_at"] is not None)
    recorded = database.audit_logs.find({"operation": {"$regex": "^approle_secret_id_"}}, sort=[("_id", 1)])
    assert [("create", True), ("list", False), ("revoke", True), ("revoke", True), ("list", False)] == [
        (
            record["operation"].removeprefix("approle_secret_id_"),
            record.get("accessor") == created["accessor"],
        )
        for record in recorded
    ]


def test_a_wrapped_secret_id_can_be_fetched_once(
    guarded: FlaskClient, call: Callable[..., TestResponse], database: Database
) -> None:
    """With a token that can do nothing else; the answer does not have it."""
    role_id = call("create", **CI).json["role_id"]
    created = call("secret-id/create", role="ci", max_uses=1, wrap={"expires_in": 300}).json
    wrapped = created["wrapped"]
    assert created["secret_id"] is None

    assert 404 == call("describe", role="none").status_code
    first = post(guarded, FETCH, wrapped["fetch"], wrapped["token"])
    text = base64.b64decode(first.json["secret"]).decode()
    login = post(guarded, APPROLE + "login", {"role_id": role_id, "secret_id": text})
    assert (created["accessor"], 200) == (id_of(text), login.status_code)

    second = post(guarded, FETCH, wrapped["fetch"], wrapped["token"])
    assert (404, "/problems/secret-already-read") == (second.status_code, second.json["type"])
    for path, body in (
        (SECRET + "create/", {"secret": ""}),
        (SECRET + "list", {}),
        (TOKEN + "create", {"name": "x", "scopes": ["fetch:*"]}),
        (APPROLE + "list", {}),
    ):
        assert 403 == post(guarded, path, body, wrapped["token"]).status_code, path
    (record,) = database.audit_logs.find({"operation": "approle_secret_id_create"})
    assert (wrapped["fetch"]["secret_id"], id_of(wrapped["token"]), created["accessor"]) == (
        record["secret_id"],
        record["token_id"],
        record["accessor"],
    )


def test_whoever_was_too_late_learns_it(guarded: FlaskClient, call: Callable[..., TestResponse]) -> None:
    """Who was faster, and from where."""
    call("create", **CI)
    wrapped = call("secret-id/create", role="ci", wrap={"expires_in": 300}).json["wrapped"]
    post(guarded, FETCH, wrapped["fetch"], wrapped["token"], "192.0.2.7")

    late = post(guarded, FETCH, wrapped["fetch"], wrapped["token"])

    assert "from 192.0.2.7" in late.json["detail"]


@pytest.mark.parametrize(
    ("own", "asked", "says"),
    [
        ({}, {"scopes": ["fetch:*"]}, "yours does not hold fetch:*"),
        ({}, {"scopes": ["admin"]}, "yours does not hold admin"),
        ({"networks": ("10.0.0.0/8", "127.0.0.0/8")}, {}, "give networks within those"),
        ({"networks": ("10.0.0.0/8", "127.0.0.0/8")}, {"networks": ["192.0.2.0/24"]}, "give networks within"),
        ({"rate_limit": 1000}, {}, "give a rate_limit of at most that"),
        ({"expires_in": 60}, {}, "give a role_expires_in that ends no later"),
        ({"expires_in": 60}, {"role_expires_in": 61}, "give a role_expires_in that ends no later"),
    ],
    ids=str,
)
def test_a_role_has_no_more_than_its_maker(
    guarded: FlaskClient,
    give: Give,
    database: Database,
    own: dict[str, Any],
    asked: dict[str, Any],
    says: str,
) -> None:
    """As a token that it makes."""
    refused = post(guarded, APPROLE + "create", CI | asked, give("token", "fetch:team/*", **own))

    assert (403, True) == (refused.status_code, says in refused.json["detail"]), refused.text
    assert 0 == database.approles.count_documents({})


def test_within_its_own_rights_a_token_makes_roles(guarded: FlaskClient, give: Give) -> None:
    """All that narrows it narrows the role."""
    maker = give("token", "fetch:team/*", networks=("127.0.0.0/8",), rate_limit=1000, expires_in=600)
    body = {"networks": ["127.0.0.1"], "rate_limit": 10, "role_expires_in": 599, "scopes": ["fetch:team/a"]}

    created = post(guarded, APPROLE + "create", CI | body, maker)

    assert (200, False) == (created.status_code, created.json["renewable"]), created.text


def test_a_secret_id_gives_no_more_than_its_maker_has(guarded: FlaskClient, admin: str, give: Give) -> None:
    """An administrator who may only come from somewhere makes none for a role that may come from anywhere."""
    make_role(guarded, admin)
    bound = give("admin", networks=("127.0.0.0/8",))

    refused = post(guarded, APPROLE + "secret-id/create", {"role": "ci"}, bound)

    assert (403, True) == (refused.status_code, "networks" in refused.json["detail"])


def test_others_do_not_see_a_role(guarded: FlaskClient, admin: str, give: Give, database: Database) -> None:
    """Not found, by its name, its id, its accessor; a token without the scope gets 403, none 401."""
    role = make_role(guarded, admin)
    accessor = id_of(role.secret_id())
    mine = make_role(guarded, (maker := give("token", "fetch:team/*")), name="mine")
    before = list(database.approles.find()), list(database.approle_secret_ids.find())
    for operation, body in (
        ("describe", {"role": "ci"}),
        ("describe", {"role": role.role_id}),
        ("delete", {"role": "ci"}),
        ("secret-id/create", {"role": role.role_id}),
        ("secret-id/list", {"role": "ci"}),
        ("secret-id/revoke", {"accessor": accessor}),
    ):
        answers = [post(guarded, APPROLE + operation, body, one) for one in (maker, give("fetch:*"), None)]
        assert [404, 403, 401] == [answer.status_code for answer in answers], operation
        unknown = dict.fromkeys(body, 16 * "1")
        never = post(guarded, APPROLE + operation, unknown, maker)
        assert answers[0].json | {"request_id": None} == never.json | {"request_id": None}
    assert [mine.role_id] == [
        one["role_id"] for one in post(guarded, APPROLE + "list", {}, maker).json["roles"]
    ]
    assert 2 == len(post(guarded, APPROLE + "list", {}, admin).json["roles"])
    assert before == (list(database.approles.find()), list(database.approle_secret_ids.find()))


def test_a_name_is_free_again(call: Callable[..., TestResponse], indexed: None, database: Database) -> None:
    """Once its role was deleted, or has expired."""
    assert 200 == call("create", **CI).status_code
    taken = call("create", **CI)
    assert (409, "/problems/approle-name-taken") == (taken.status_code, taken.json["type"])
    call("delete", role="ci")
    assert 200 == call("create", **CI, role_expires_in=1).status_code
    assert 409 == call("create", **CI).status_code
    until = time.monotonic() + 10
    while call("create", **CI).status_code == 409 and time.monotonic() < until:
        time.sleep(0.1)

    assert 1 == len(call("list").json["roles"])
    assert 3 == database.approles.count_documents({})


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": "a b"}, "name"),
        ({"name": UNKNOWN}, "name"),
        ({"name": 16 * "a"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["fetch"]}, "scopes"),
        ({"expires_in": 0}, "expires_in"),
        ({"renewable": 1}, "renewable"),
        ({"renewable": True, "role_expires_in": 9}, "renewable"),
        ({"max_uses": 0}, "max_uses"),
        ({"scopes": ["token"], "max_uses": 1}, "max_uses"),
        ({"networks": ["10.0.0.1/8"]}, "networks"),
        ({"rate_limit": 0}, "rate_limit"),
        ({"role_expires_in": 10**10}, "role_expires_in"),
        ({"policies": ["a"]}, "policies"),
    ],
    ids=str,
)
def test_names_the_invalid_field(
    call: Callable[..., TestResponse], database: Database, changed: dict[str, Any], field: str
) -> None:
    """422, and no role is created."""
    answer = call("create", **CI | changed)

    assert 422 == answer.status_code, answer.text
    assert [field] == list(answer.json["errors"])
    assert 0 == database.approles.count_documents({})


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"expires_in": 0}, "expires_in"),
        ({"max_uses": True}, "max_uses"),
        ({"networks": []}, "networks"),
        ({"wrap": 300}, "wrap"),
        ({"wrap": {}}, "wrap"),
        ({"wrap": {"expires_in": 0}}, "wrap"),
        ({"role_id": "ci"}, "role_id"),
    ],
    ids=str,
)
def test_names_the_invalid_field_of_a_secret_id(
    call: Callable[..., TestResponse], database: Database, changed: dict[str, Any], field: str
) -> None:
    """422, and none is created."""
    call("create", **CI)

    answer = call("secret-id/create", role="ci", **changed)

    assert (422, [field]) == (answer.status_code, list(answer.json["errors"])), answer.text
    assert 0 == database.approle_secret_ids.count_documents({})


def test_lists_page_by_page(call: Callable[..., TestResponse], monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of ids, and of accessors."""
    monkeypatch.setattr(roles, "PAGE", 2)
    monkeypatch.setattr(secret_ids, "PAGE", 2)
    made = sorted(call("create", **CI | {"name": f"r{n}"}).json["role_id"] for n in range(3))
    accessors = sorted(call("secret-id/create", role="r1").json["accessor"] for _ in range(3))

    for operation, body, key, name, expected in (
        ("list", {}, "roles", "role_id", made),
        ("secret-id/list", {"role": "r1"}, "secret_ids", "accessor", accessors),
    ):
        first = call(operation, **body).json
        second = call(operation, **body, after=first["next"]).json
        assert expected == [one[name] for one in (*first[key], *second[key])]
        assert second["next"] is None


def test_what_was_altered_is_named_and_can_be_removed(
    guarded: FlaskClient, call: Callable[..., TestResponse], admin: str, database: Database
) -> None:
    """By its id; its tokens are revoked with it, and nothing is left of it."""
    for change in (
        {"$set": {"scopes": ["admin"]}},
        {"$unset": {"scopes": True}},
        {"$set": {"live_name": "x"}},
    ):
        role = make_role(guarded, admin)
        token, text = role.token(), role.secret_id()
        database.approles.update_one({"_id": role.role_id}, change)
        assert [role.role_id] == call("list").json["altered"]
        assert 500 == role.log_in(text).status_code
        assert 200 == call("delete", role=role.role_id).status_code
        assert 401 == post(guarded, WHOAMI, None, token).status_code
        assert 0 == database.approles.count_documents({})

    role = make_role(guarded, admin)
    for change in ({"$set": {"uses": 3}}, {"$unset": {"uses": True}}):
        text = role.secret_id(max_uses=9)
        database.approle_secret_ids.update_one({"_id": id_of(text)}, change)
        assert [id_of(text)] == call("secret-id/list", role="ci").json["altered"]
        assert 500 == role.log_in(text).status_code
        assert 200 == call("secret-id/revoke", accessor=id_of(text)).status_code
        assert None is database.approle_secret_ids.find_one({"_id": id_of(text)})


@pytest.mark.parametrize("text", ["", "x" * 1000, "\ud800", UNKNOWN, 16 * "A", "a b"])
def test_records_nothing_that_is_no_id(
    call: Callable[..., TestResponse], database: Database, text: str
) -> None:
    """If somebody sends a whole secret id instead of its accessor, it does not get into the log."""
    for operation in ("describe", "delete", "secret-id/create", "secret-id/list"):
        assert 404 == call(operation, role=text).status_code, operation
    assert 404 == call("secret-id/revoke", accessor=text).status_code
    assert not list(
        database.audit_logs.find({"$or": [{"role_id": {"$ne": None}}, {"accessor": {"$ne": None}}]})
    )
