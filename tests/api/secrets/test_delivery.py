"""api.secrets.delivery: a service gets what a grant lets it have, and every decision is on the record."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database
from werkzeug.test import TestResponse

from tests.calls import OF_CALLERS, UNKNOWN, ask, id_of, post
from tests.conftest import Clock

PATH, VALUE, OTHER_VALUE = "team/billing/db", "dmFsdWU=", "b3RoZXI="
IMAGE = "billing:1.2@sha256:" + 64 * "a"
RECIPIENT = {
    "service": {"id": "s1", "name": "billing_api", "labels": {"a": "b"}, "image": IMAGE},
    "task": {"id": "t1", "name": "billing_api.1.t1"},
    "node": {"id": "n1"},
    "docker_secret": "db.v1",
}
FIELDS = ("service", "service_id", "task_id", "node_id", "docker_secret")


@pytest.fixture
def admin(give: Callable[..., str]) -> str:
    """An administrator's token."""
    return give("admin")


@pytest.fixture
def driver(give: Callable[..., str]) -> str:
    """A manager's token."""
    return give("deliver:*")


@pytest.fixture
def grant(guarded: FlaskClient, admin: str) -> Callable[..., str]:
    """Return a function that makes a grant, by default for the usual service and path."""

    def grant(**changed: Any) -> str:
        body = {"services": ["billing_*"], "paths": ["team/billing/*"], **changed}
        answer = post(guarded, "/vault/grant/create", body, admin)
        assert 200 == answer.status_code, answer.text
        grant_id: str = answer.json["grant_id"]
        return grant_id

    return grant


@pytest.fixture
def deliver(guarded: FlaskClient, driver: str) -> Callable[..., TestResponse]:
    """Return a function that asks for a secret as the driver does."""

    def deliver(token: str = driver, **changed: Any) -> TestResponse:
        body = {"path": PATH, **RECIPIENT, **changed}
        return ask(
            guarded, "deliver", token, **{name: value for name, value in body.items() if value is not ...}
        )

    return deliver


@pytest.fixture(autouse=True)
def secret_id(client: FlaskClient, clock: Clock) -> str:
    """A secret with two versions."""
    secret_id: str = ask(client, "create/", path=PATH, secret=VALUE).json["secret_id"]
    ask(client, "update", path=PATH, secret=OTHER_VALUE)
    return secret_id


def last_record(database: Database) -> dict[str, Any]:
    """Return the last record of a delivery or a check."""
    found = database.audit_logs.find(OF_CALLERS | {"operation": {"$regex": "^deliver"}})
    *_, last = found.sort("_id", 1)
    return last


def test_delivers_a_version(
    deliver: Callable[..., TestResponse], grant: Callable[..., str], driver: str, database: Database
) -> None:
    """The one that was asked for, or else the current one; one record names who had it."""
    grant_id = grant()
    before = database.audit_logs.count_documents({})

    answers = {version: deliver(version=version) for version in (1, 2, ...)}

    assert {200} == {answer.status_code for answer in answers.values()}
    assert [(1, VALUE), (2, OTHER_VALUE), (2, OTHER_VALUE)] == [
        (answer.json["version"], answer.json["secret"]) for answer in answers.values()
    ]
    assert {"secret_id", "version", "secret", "created_at", "path", "expires_at"} == answers[1].json.keys()
    assert before + 3 == database.audit_logs.count_documents({})
    record = last_record(database)
    assert ("deliver", "success", id_of(driver), PATH, 2, grant_id) == tuple(
        record[name] for name in ("operation", "status", "actor", "path", "version", "grant_id")
    )
    assert ["billing_api", "s1", "t1", "n1", "db.v1"] == [record[name] for name in FIELDS]
    assert answers[1].json["secret_id"] == record["secret_id"]


def test_nothing_is_delivered_by_default(
    deliver: Callable[..., TestResponse], database: Database, guarded: FlaskClient, admin: str
) -> None:
    """The answer says who may not have what, and not whether it exists; an administrator is told the same."""
    for token in (..., admin):
        asked = {} if token is ... else {"token": token}
        known, unknown = (deliver(path=path, **asked) for path in (PATH, "team/billing/none"))

        assert {"type": "/problems/not-granted", "status": 404} == {
            name: known.json[name] for name in ("type", "status")
        }
        assert f"not allowed: service billing_api may not have path {PATH}" == known.json["detail"]
        assert known.json["detail"].replace(PATH, "") == unknown.json["detail"].replace(
            "team/billing/none", ""
        )
    record = last_record(database)
    assert ("failure", "not granted", "billing_api", "t1") == tuple(
        record[name] for name in ("status", "reason", "service", "task_id")
    )
    assert (None, "grant_id" in record) == (record["secret_id"], False)


@pytest.mark.parametrize(
    ("granted", "asked", "delivered"),
    [
        ({"nodes": ["n1"], "images": [IMAGE]}, {}, True),
        ({"nodes": ["n2"]}, {}, False),
        ({"nodes": ["n1"], "images": [IMAGE.replace("a" * 64, "b" * 64)]}, {}, False),
        (
            {"images": [IMAGE]},
            {"service": {"id": "s1", "name": "billing_api", "image": "billing:1.2"}},
            False,
        ),
        ({"services": ["billing_api"]}, {"service": {"id": "s1", "name": "billing_api2"}}, False),
        ({"paths": ["team/billing/db2"]}, {}, False),
        ({"services": ["shop_*"]}, {}, False),
    ],
    ids=str,
)
def test_all_conditions_of_a_grant_must_hold(
    deliver: Callable[..., TestResponse],
    grant: Callable[..., str],
    granted: dict[str, Any],
    asked: dict[str, Any],
    delivered: bool,
) -> None:
    """And conditions of several grants do not add up, but one of them is enough."""
    grant(**granted)
    grant(services=["shop_*"])
    grant(paths=["team/shop/*"])
    assert (200 if delivered else 404) == deliver(**asked).status_code

    grant(services=["*"])
    deliver_now = deliver(**asked)
    assert 200 == deliver_now.status_code, deliver_now.text


def test_a_deleted_grant_and_an_altered_one_grant_nothing(
    deliver: Callable[..., TestResponse],
    grant: Callable[..., str],
    guarded: FlaskClient,
    admin: str,
    database: Database,
) -> None:
    """The one that was deleted may be back in the database without its mark."""
    grant_id = grant()
    assert 200 == deliver().status_code
    before = database.grants.find_one({"_id": grant_id})
    post(guarded, "/vault/grant/delete", {"grant_id": grant_id}, admin)
    assert 404 == deliver().status_code
    database.grants.update_one({"_id": grant_id}, {"$set": {"deleted_at": None, "deleted_by": None}})
    post(guarded, "/vault/grant/create", {"services": ["x"], "paths": ["x"]}, admin)
    assert "/problems/not-granted" == deliver().json["type"]

    database.grants.replace_one({"_id": grant_id}, before | {"services": ["*"]})
    guarded.application.extensions["secret-manager"].current_grants.forget()
    assert "/problems/not-granted" == deliver().json["type"]


@pytest.mark.parametrize(
    ("what", "body", "problem", "reason", "says"),
    [
        ("delete", {"versions": [1]}, "secret-deleted", "deleted", "version 1 was deleted at "),
        ("destroy", {"versions": [1]}, "secret-destroyed", "destroyed", "version 1 was destroyed at "),
        ("delete", {}, "secret-deleted", "deleted", "it was deleted at "),
        ("destroy", {}, "secret-destroyed", "destroyed", "it was destroyed at "),
        ("update", {"expires_in": 60}, "secret-expired", "expired", "it expired at "),
        ("update", {"max_reads": 3}, "limited-reads", "limited reads", "it has max_reads"),
        ("update", {"new_path": "elsewhere"}, "secret-not-found", "not found", "Secret not found"),
    ],
    ids=str,
)
@pytest.mark.parametrize("check", [False, True])
def test_only_what_is_live_is_delivered(
    deliver: Callable[..., TestResponse],
    grant: Callable[..., str],
    client: FlaskClient,
    clock: Clock,
    database: Database,
    *,
    check: bool,
    what: str,
    body: dict[str, Any],
    problem: str,
    reason: str,
    says: str,
) -> None:
    """Who may have it is told why there is nothing; the record has the reason and the grant."""
    grant_id = grant()
    assert 200 == ask(client, what, path=PATH, **body).status_code
    clock.ahead = timedelta(seconds=120)

    answer = deliver(version=1, check=check)

    assert (404, f"/problems/{problem}") == (answer.status_code, answer.json["type"]), answer.text
    assert says in answer.json["detail"]
    record = last_record(database)
    assert ("deliver_check" if check else "deliver", "failure", reason, 1, grant_id) == tuple(
        record[name] for name in ("operation", "status", "reason", "version", "grant_id")
    )
    if what == "update" and "max_reads" in body:
        assert 3 == ask(client, "describe", path=PATH).json["reads_left"]


def test_says_that_there_is_no_such_version(
    deliver: Callable[..., TestResponse], grant: Callable[..., str]
) -> None:
    """With its number."""
    grant()

    answer = deliver(version=7)

    assert "/problems/no-such-version" == answer.json["type"]
    assert "there is no version 7 yet; the current one is 2" in answer.json["detail"]


def test_a_check_decides_without_a_value(
    deliver: Callable[..., TestResponse], grant: Callable[..., str], database: Database
) -> None:
    """For a service that has no task yet; it is recorded as a check."""
    none_yet = {"task": ..., "node": ..., "docker_secret": ..., "check": True}
    assert 404 == deliver(**none_yet).status_code
    assert ("deliver_check", "not granted") == tuple(
        last_record(database)[name] for name in ("operation", "reason")
    )

    grant()
    answer = deliver(**none_yet, version=1)

    assert 200 == answer.status_code, answer.text
    assert {"secret_id", "version", "created_at", "path", "expires_at"} == answer.json.keys()
    assert 1 == answer.json["version"]
    record = last_record(database)
    assert ("deliver_check", "success", "billing_api", 1) == tuple(
        record[name] for name in ("operation", "status", "service", "version")
    )
    assert not {"task_id", "node_id", "docker_secret"} & record.keys()


def test_a_check_of_a_grant_with_nodes_needs_the_node(
    deliver: Callable[..., TestResponse], grant: Callable[..., str]
) -> None:
    """What is not known meets no condition."""
    grant(nodes=["n1"])

    assert [200, 404] == [deliver(check=True, node=node).status_code for node in (RECIPIENT["node"], ...)]


@pytest.mark.parametrize(
    ("scopes", "status", "problem", "reason"),
    [
        (("deliver:team/billing/*",), 200, None, None),
        (("deliver:team/billing/db",), 200, None, None),
        (("deliver:team/shop/*",), 404, "secret-not-found", "forbidden"),
        (("fetch:*", "list:*", "update:*"), 403, "forbidden", "forbidden"),
        (("admin",), 200, None, None),
    ],
    ids=str,
)
def test_the_token_must_have_the_scope_as_well(
    deliver: Callable[..., TestResponse],
    grant: Callable[..., str],
    give: Callable[..., str],
    database: Database,
    scopes: tuple[str, ...],
    status: int,
    problem: str | None,
    reason: str | None,
) -> None:
    """What it does not cover is not found, as if it did not exist."""
    grant(paths=["*"])
    token = give(*scopes)

    answer = deliver(token)

    assert status == answer.status_code, answer.text
    assert reason == last_record(database)["reason"]
    if problem is not None:
        assert f"/problems/{problem}" == answer.json["type"]
        unknown = deliver(token, path="team/none")
        assert answer.json | {"request_id": ""} == unknown.json | {"request_id": ""}


def test_a_token_that_delivers_reaches_nothing_else(
    guarded: FlaskClient, driver: str, grant: Callable[..., str], secret_id: str, admin: str
) -> None:
    """Of all operations in the document, only its own token is left to it."""
    grant_id = grant()
    every = guarded.get("/openapi.json").json["paths"]
    bodies: dict[str, dict[str, Any]] = {
        "/vault/secret/create/": {"secret": VALUE, "path": "team/billing/new"},
        "/vault/secret/create/batch": {"secrets": [{"secret": VALUE}]},
        "/vault/secret/update": {"path": PATH, "secret": VALUE},
        "/vault/secret/list": {},
        "/vault/secret/access": {"path": PATH},
        "/vault/session/renew": {},
        "/vault/session/confirm": {"token": admin},
        "/vault/session/revoke": {"session_id": "0" * 16},
        "/vault/share/create": {"path": PATH, "for": "Grace"},
        "/vault/share/revoke": {"share_id": "0" * 16},
        "/vault/token/create": {"name": "x", "scopes": ["deliver:*"]},
        "/vault/token/list": {},
        "/vault/token/describe": {"token_id": id_of(admin)},
        "/vault/token/renew": {"token_id": id_of(admin)},
        "/vault/token/revoke": {"token_id": id_of(admin)},
        "/vault/folder/describe": {"prefix": "team/"},
        "/vault/folder/configure": {"prefix": "team/"},
        "/vault/grant/create": {"services": ["*"], "paths": ["*"]},
        "/vault/grant/list": {},
        "/vault/grant/describe": {"grant_id": grant_id},
        "/vault/grant/delete": {"grant_id": grant_id},
        "/vault/approle/create": {"name": "x", "scopes": ["deliver:*"]},
        "/vault/approle/list": {},
        "/vault/approle/describe": {"role": "x"},
        "/vault/approle/delete": {"role": "x"},
        "/vault/approle/secret-id/create": {"role": "x"},
        "/vault/approle/secret-id/list": {"role": "x"},
        "/vault/approle/secret-id/revoke": {"accessor": "x"},
        "/vault/audit/search": {},
        "/vault/audit/verify": {},
    }
    statuses: dict[str, int] = {}
    for path in every:
        if not path.startswith("/vault/") or path in (
            "/vault/secret/deliver",
            "/vault/token/whoami",
            # These look at no token.
            "/vault/approle/login",
            "/vault/share/peek",
            "/vault/share/reveal",
            # A session is the same token once more; and of sessions and shares there are only its own.
            "/vault/session/create",
            "/vault/session/list",
            "/vault/share/list",
        ):
            continue
        for named in ({"path": PATH}, {"secret_id": secret_id}):
            if path == "/vault/key/status":
                answer = guarded.get(path, headers={"Authorization": f"Bearer {driver}"})
            else:
                answer = post(guarded, path, bodies.get(path, named), driver)
            if path == "/vault/secret/fetch/batch":
                answer = post(guarded, path, {"secrets": [named], "all_or_nothing": True}, driver)
            if path == "/vault/secret/create/batch":
                answer = post(guarded, path, {**bodies[path], "all_or_nothing": True}, driver)
            statuses[path] = answer.status_code
            assert answer.status_code in (403, 404), (path, answer.text)
    assert 38 == len(statuses)
    assert 403 == statuses["/vault/grant/create"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"path": ...}, "path"),
        ({"path": "/x"}, "path"),
        ({"version": 0}, "version"),
        ({"version": "1"}, "version"),
        ({"service": ...}, "service"),
        ({"service": {"id": "s1"}}, "service"),
        ({"service": {"name": "billing_api"}}, "service"),
        ({"service": {"id": "s1", "name": ""}}, "service"),
        ({"service": {"id": "s1", "name": "a\nb"}}, "service"),
        ({"service": {"id": "s1", "name": "billing_*"}}, "service"),
        ({"service": {"id": "s1", "name": UNKNOWN}}, "service"),
        ({"service": {"id": "s 1", "name": "a"}}, "service"),
        ({"task": ...}, "task"),
        ({"task": {}}, "task"),
        ({"node": ...}, "node"),
        ({"node": {"id": ""}}, "node"),
        ({"docker_secret": ...}, "docker_secret"),
        ({"docker_secret": UNKNOWN}, "docker_secret"),
        ({"check": "yes"}, "check"),
        ({"labels": {}}, "labels"),
    ],
    ids=str,
)
def test_names_the_invalid_field(
    deliver: Callable[..., TestResponse],
    grant: Callable[..., str],
    database: Database,
    changed: dict[str, Any],
    field: str,
) -> None:
    """A delivery always names its task, node and Docker secret; nothing of a token is recorded."""
    grant(services=["*"], paths=["*"])

    answer = deliver(**changed)

    assert (422, [field]) == (answer.status_code, list(answer.json["errors"])), answer.text
    assert UNKNOWN[:20] not in str(last_record(database))


def test_is_found_by_service_task_and_node(
    deliver: Callable[..., TestResponse], grant: Callable[..., str], guarded: FlaskClient, admin: str
) -> None:
    """Each alone or together."""
    grant()
    deliver()
    deliver(node={"id": "n2"}, task={"id": "t2"})
    deliver(service={"id": "s2", "name": "billing_web"}, task={"id": "t3"})
    found = {
        name: [
            record["task_id"]
            for record in post(guarded, "/vault/audit/search", {name: value}, admin).json["records"]
        ]
        for name, value in {"service": "billing_api", "task_id": "t3", "node_id": "n1"}.items()
    }

    assert {"service": ["t2", "t1"], "task_id": ["t3"], "node_id": ["t3", "t1"]} == {
        name: sorted(tasks, reverse=True) for name, tasks in found.items()
    }


def test_no_value_leaves_without_its_record(
    deliver: Callable[..., TestResponse], grant: Callable[..., str], database: Database
) -> None:
    """As with a fetch: 503, and nothing of it."""
    grant()
    assert 200 == deliver().status_code
    database.command("collMod", "audit_logs", validator={"never": {"$exists": True}})
    try:
        answer = deliver()
    finally:
        database.command("collMod", "audit_logs", validator={})

    assert (503, False) == (answer.status_code, OTHER_VALUE in answer.text)


@pytest.fixture
def counted(guarded: FlaskClient) -> Callable[[], dict[str, float]]:
    """Return a function that returns how much each of the metrics of deliveries has grown since the last."""
    before: dict[str, float] = {}

    def counted() -> dict[str, float]:
        found = {
            name: float(value)
            for name, value in (
                line.rsplit(" ", 1)
                for line in guarded.get("/metrics").text.splitlines()
                if re.match(r"vault_(deliveries|driver_unreached)\w*_total", line)
            )
        }
        grown = {name: value - before.get(name, 0) for name, value in found.items()}
        before.update(found)
        return {name: value for name, value in grown.items() if value}

    counted()
    return counted


def test_decisions_are_counted_by_outcome(
    deliver: Callable[..., TestResponse],
    grant: Callable[..., str],
    counted: Callable[[], dict[str, float]],
    give: Callable[..., str],
) -> None:
    """And values of versions that are not the newest; a check is no delivery."""
    deliver()
    assert {'vault_deliveries_total{outcome="not granted"}': 1} == counted()

    grant()
    deliver(check=True)
    assert {} == counted()
    deliver(version=1)
    deliver(version=2)
    deliver(version=3)
    deliver(path="team/billing/none")
    deliver(token=give("deliver:team/shop/*"))

    assert {
        'vault_deliveries_total{outcome="delivered"}': 2,
        'vault_deliveries_total{outcome="no such version"}': 1,
        'vault_deliveries_total{outcome="not found"}': 1,
        'vault_deliveries_total{outcome="forbidden"}': 1,
        "vault_deliveries_of_older_versions_total": 1,
    } == counted()


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        ("7", 7),
        ("999999999", 10_000),
        ("9999999999999999999999999", 0),
        ("-1", 0),
        ("1.5", 0),
        ("\xb2", 0),
        ("", 0),
    ],
)
def test_counts_what_the_driver_reports(
    guarded: FlaskClient,
    driver: str,
    grant: Callable[..., str],
    counted: Callable[[], dict[str, float]],
    reported: str,
    expected: int,
) -> None:
    """Only with a delivery, and never an absurd number; what is no number is not an error either."""
    headers = {"Authorization": f"Bearer {driver}", "Secret-Manager-Unreached": reported}
    body = {"path": PATH, **RECIPIENT}
    assert 404 == guarded.post("/vault/secret/deliver", json=body, headers=headers).status_code
    counted()
    grant()

    assert 200 == guarded.post("/vault/secret/deliver", json=body, headers=headers).status_code

    assert expected == counted().get("vault_driver_unreached_total", 0)
