"""api.grants.views: administrators say which services may be given which secrets."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database
from werkzeug.test import TestResponse

from service.grants import grants
from tests.calls import GRANT, UNKNOWN, id_of, post

BILLING = {"services": ["billing_*"], "paths": ["team/billing/*"]}


@pytest.fixture
def admin(give: Callable[..., str]) -> str:
    """An administrator's token."""
    return give("admin")


@pytest.fixture
def call(guarded: FlaskClient, admin: str) -> Callable[..., TestResponse]:
    """Return a function that calls an operation on grants as the administrator."""

    def call(operation: str, **body: Any) -> TestResponse:
        return post(guarded, GRANT + operation, body, admin)

    return call


def test_the_life_of_a_grant(call: Callable[..., TestResponse], admin: str, database: Database) -> None:
    """Created, described, listed, deleted; each is recorded with the grant's id."""
    created = call("create", **BILLING, nodes=["n1"])
    assert 200 == created.status_code, created.text
    grant_id = created.json["grant_id"]
    assert {
        **BILLING,
        "grant_id": grant_id,
        "nodes": ["n1"],
        "images": [],
        "created_at": created.json["created_at"],
        "created_by": id_of(admin),
        "deleted_at": None,
        "deleted_by": None,
    } == created.json

    assert created.json == call("describe", grant_id=grant_id).json
    assert {"grants": [created.json], "altered": [], "next": None} == call("list").json
    assert [{"deleted": grant_id}] * 2 == [call("delete", grant_id=grant_id).json for _ in range(2)]
    assert [] == call("list").json["grants"]
    deleted = call("describe", grant_id=grant_id).json
    assert (id_of(admin), True) == (deleted["deleted_by"], deleted["deleted_at"] is not None)

    recorded = list(database.audit_logs.find({"operation": {"$regex": "^grant_"}}, sort=[("timestamp", 1)]))
    assert ["create", "describe", "list", "delete", "delete", "list", "describe"] == [
        record["operation"].removeprefix("grant_") for record in recorded
    ]
    assert {grant_id, None} == {record.get("grant_id") for record in recorded}
    assert {"success"} == {record["status"] for record in recorded}


@pytest.mark.parametrize(
    "scopes",
    [("token", "audit"), ("create:*", "fetch:*", "list:*", "update:*", "delete:*")],
    ids=str,
)
def test_only_administrators_manage_grants(
    guarded: FlaskClient, give: Callable[..., str], database: Database, scopes: tuple[str, ...]
) -> None:
    """403 for every call, and nothing is changed; without a token 401."""
    own = post(guarded, GRANT + "create", BILLING, give("admin")).json
    before = list(database.grants.find())
    token = give(*scopes)
    for operation, body in (
        ("create", BILLING),
        ("list", {}),
        ("describe", {"grant_id": own["grant_id"]}),
        ("delete", {"grant_id": own["grant_id"]}),
    ):
        assert 403 == post(guarded, GRANT + operation, body, token).status_code, operation
        assert 401 == post(guarded, GRANT + operation, body).status_code, operation
    assert before == list(database.grants.find())


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"services": []}, "services"),
        ({"services": ["a*b"]}, "services"),
        ({"services": "billing"}, "services"),
        ({"services": [UNKNOWN]}, "services"),
        ({"services": ["a"] * 101}, "services"),
        ({"paths": []}, "paths"),
        ({"paths": ["a*"]}, "paths"),
        ({"nodes": ["*"]}, "nodes"),
        ({"nodes": []}, "nodes"),
        ({"images": ["billing:1.2"]}, "images"),
        ({"labels": ["a"]}, "labels"),
    ],
    ids=str,
)
def test_names_the_invalid_field(
    call: Callable[..., TestResponse], database: Database, changed: dict[str, Any], field: str
) -> None:
    """422, and no grant is created."""
    answer = call("create", **BILLING | changed)

    assert 422 == answer.status_code, answer.text
    assert [field] == list(answer.json["errors"])
    assert 0 == database.grants.count_documents({})


def test_there_is_a_bound(call: Callable[..., TestResponse], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every process has all of them in memory; deleted ones do not count."""
    monkeypatch.setattr(grants, "MAX_GRANTS", 2)
    first, _ = (call("create", **BILLING).json["grant_id"] for _ in range(2))

    refused = call("create", **BILLING)
    assert (422, ["_schema"]) == (refused.status_code, list(refused.json["errors"]))
    call("delete", grant_id=first)
    assert 200 == call("create", **BILLING).status_code


def test_lists_page_by_page(call: Callable[..., TestResponse], monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of ids."""
    monkeypatch.setattr(grants, "PAGE", 2)
    created = sorted(call("create", **BILLING).json["grant_id"] for _ in range(3))

    first = call("list").json
    second = call("list", after=first["next"]).json

    assert created == [grant["grant_id"] for page in (first, second) for grant in page["grants"]]
    assert None is second["next"]


@pytest.mark.parametrize("grant_id", ["0f3a5b7c9d1e2f40", "", "x" * 100, UNKNOWN])
def test_there_is_no_such_grant(call: Callable[..., TestResponse], database: Database, grant_id: str) -> None:
    """404; what is no id, and may be a token, is recorded nowhere."""
    for operation in ("describe", "delete"):
        answer = call(operation, grant_id=grant_id)
        assert (404, "/problems/grant-not-found") == (answer.status_code, answer.json["type"])
    assert None is database.audit_logs.find_one({"grant_id": UNKNOWN})


def test_single_fields_of_other_states_are_noticed(
    call: Callable[..., TestResponse], database: Database
) -> None:
    """Put back from its own past or from another grant: named in lists, and an error if it is asked for."""
    call("create", services=["*"], paths=["*"], nodes=["n1"], images=["a@sha256:" + 64 * "0"])
    (other,) = database.grants.find()
    grant_id = call("create", **BILLING).json["grant_id"]
    before = database.grants.find_one({"_id": grant_id})
    call("delete", grant_id=grant_id)
    deleted = database.grants.find_one({"_id": grant_id})

    tried = 0
    for present in (before, deleted):
        for earlier in (before, deleted, other):
            # When MongoDB removes it decides nothing else.
            for name in present.keys() - {"_id", "ended_at"}:
                if earlier[name] == present[name]:
                    continue
                mixed = copy.deepcopy(present) | {name: earlier[name]}
                database.grants.replace_one({"_id": grant_id}, mixed)
                page = call("list").json
                assert grant_id not in [grant["grant_id"] for grant in page["grants"]], name
                assert (grant_id in page["altered"]) is (mixed["deleted_at"] is None), name
                answer = call("describe", grant_id=grant_id)
                assert (500, "/problems/record-tampered") == (answer.status_code, answer.json["type"]), name
                tried += 1
    assert 20 == tried


def test_an_altered_grant_can_be_removed(call: Callable[..., TestResponse], database: Database) -> None:
    """Nothing is left of it."""
    for change in ({"$set": {"services": ["*"]}}, {"$unset": {"services": True}}):
        grant_id = call("create", **BILLING).json["grant_id"]
        database.grants.update_one({"_id": grant_id}, change)
        assert [grant_id] == call("list").json["altered"]

        assert 200 == call("delete", grant_id=grant_id).status_code
        assert 0 == database.grants.count_documents({})
