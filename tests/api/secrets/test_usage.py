"""secrets.usage: what services were given is shown, warned of, and destroyed only with a word."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database

from service.models import Status
from service.store.store import Store
from tests.calls import ask, post
from tests.conftest import Clock

PATH = "team/db"
START = datetime(2026, 1, 31, tzinfo=UTC)


@pytest.fixture
def deliver(client: FlaskClient) -> Callable[..., None]:
    """Return a function that has a version delivered; there is a secret with three versions."""
    post(client, "/vault/grant/create", {"services": ["*"], "paths": ["*"]})
    ask(client, "create/", path=PATH, secret="YQ==")
    for value in ("Yg==", "Yw=="):
        ask(client, "update", path=PATH, secret=value)

    def deliver(service: str, version: int, status: int = 200, **more: Any) -> None:
        answer = ask(
            client,
            "deliver",
            path=PATH,
            version=version,
            service={"id": "s1", "name": service},
            task={"id": "t1"},
            node={"id": "n1"},
            docker_secret=f"db.v{version}",
            **more,
        )
        assert status == answer.status_code, answer.text

    return deliver


def in_use(client: FlaskClient) -> list[tuple[str, int]]:
    """Return what describe shows."""
    shown = ask(client, "describe", path=PATH).json["in_use"]
    assert all(datetime.fromisoformat(use["delivered_at"]) for use in shown)
    return [(use["service"], use["version"]) for use in shown]


def test_describe_shows_the_last_two_versions_of_each_service(
    client: FlaskClient, deliver: Callable[..., None]
) -> None:
    """The one that it runs and the one to which the Swarm can roll back; in the order of deliveries."""
    assert [] == in_use(client)
    for service, version in (("api", 1), ("api", 2), ("web", 3), ("api", 3), ("api", 2)):
        deliver(service, version)

    assert [("api", 2), ("api", 3), ("web", 3)] == in_use(client)


def test_checks_refusals_and_fetches_are_no_use(
    client: FlaskClient, deliver: Callable[..., None], database: Database
) -> None:
    """Nor are deliveries of another secret, or records that the service did not write."""
    deliver("api", 1, check=True)
    deliver("api", 9, status=404)
    ask(client, "fetch", path=PATH)
    assert [] == in_use(client)

    deliver("api", 1)
    (record,) = database.audit_logs.find({"operation": "deliver", "status": "success"})
    database.audit_logs.insert_one({**record, "_id": "made up", "service": "web"})
    database.audit_logs.insert_one({**record, "_id": "odd", "service": ["a", "b"]})
    assert [("api", 1)] == in_use(client)


def test_what_is_in_use_is_destroyed_only_with_a_word(
    client: FlaskClient, deliver: Callable[..., None], database: Database
) -> None:
    """Versions and the whole secret; versions that nobody has can go, and a deletion can be undone."""
    deliver("api", 2)
    for versions in ({"versions": [2]}, {"versions": [1, 2]}, {}):
        answer = ask(client, "destroy", path=PATH, **versions)
        assert (409, "/problems/secret-in-use") == (answer.status_code, answer.json["type"])
        assert "in use: version 2 was delivered to service api at " in answer.json["detail"]
        assert "send in_use: true" in answer.json["detail"]
    assert ["in use"] == database.audit_logs.distinct("reason", {"operation": "destroy"})

    assert 200 == ask(client, "destroy", path=PATH, versions=[1]).status_code
    assert 200 == ask(client, "delete", path=PATH, versions=[2]).status_code
    assert 200 == ask(client, "destroy", path=PATH, versions=[2], in_use=True).status_code
    # Nothing is left of it that could be in use.
    assert [] == in_use(client)
    assert 200 == ask(client, "destroy", path=PATH).status_code


def test_a_version_that_every_service_has_left_twice_needs_no_word(
    client: FlaskClient, deliver: Callable[..., None]
) -> None:
    """Otherwise everybody would learn to say it always."""
    for version in (1, 2, 3):
        deliver("api", version)

    assert 200 == ask(client, "destroy", path=PATH, versions=[1]).status_code
    assert 409 == ask(client, "destroy", path=PATH, versions=[2]).status_code


@pytest.mark.parametrize(
    ("options", "ahead", "says"),
    [
        ({}, 0, []),
        (
            {"expires_in": 3600},
            0,
            [
                "version 1, in use by web, is delivered until ",
                "version 3, in use by api, web, is delivered until ",
            ],
        ),
        ({"version_expires_in": 3600}, 0, ["version 3, in use by api, web, is delivered until "]),
        (
            {"version_expires_in": 3600},
            3600,
            ["version 3, in use by api, web, is not delivered any more: Secret not found: version 3 expired"],
        ),
        (
            {"max_versions": 3},
            0,
            ["version 1, in use by web, is destroyed by the next value, as max_versions is 3"],
        ),
        ({"max_versions": 4}, 0, []),
    ],
    ids=str,
)
def test_describe_warns_before_it_ends(
    client: FlaskClient,
    deliver: Callable[..., None],
    clock: Clock,
    options: dict[str, Any],
    ahead: int,
    says: list[str],
) -> None:
    """By an expiry, or by one value more; the second is what the update then does."""
    for service, version in (("web", 1), ("web", 3), ("api", 3)):
        deliver(service, version)
    if options:
        assert 200 == ask(client, "update", path=PATH, **options).status_code
    # Another version, so that the secret itself goes on.
    if "version_expires_in" in options:
        ask(client, "update", path=PATH, secret="ZA==")
    clock.ahead = timedelta(seconds=ahead)

    warnings = ask(client, "describe", path=PATH).json["warnings"]

    assert len(says) == len(warnings), warnings
    assert all(warning.startswith(start) for warning, start in zip(warnings, says, strict=True)), warnings
    if "max_versions" in options:
        ask(client, "update", path=PATH, secret="ZA==")
        gone = ask(client, "describe", path=PATH).json["versions"][0]["state"] == "destroyed"
        assert gone is bool(says)


def test_costs_one_look_for_each_version_and_service(store: Store, indexed: None, database: Database) -> None:
    """However many deliveries there were, says the profiler."""
    database.audit_logs.insert_many(
        {
            "_id": f"{number:06}",
            "timestamp": START + timedelta(seconds=number),
            "operation": ("deliver", "fetch")[number % 2],
            "status": Status.SUCCESS,
            "secret_id": "s",
            "version": number // 2 % 2 + 1,
            "service": f"service{number // 4 % 2}",
        }
        for number in range(4000)
    )
    database.command("profile", 2)
    found = store.audit.last_deliveries("s", [1, 2, 3], 500)
    database.command("profile", 0)
    profile = list(database["system.profile"].find({"ns": "vault.audit_logs", "op": "query"}))
    database["system.profile"].drop()

    newest = {1: (3992, 3996), 2: (3994, 3998)}
    assert [(version, f"{number:06}") for version in (1, 2) for number in newest[version]] == [
        (document["version"], document["_id"]) for document in found
    ]
    assert {True} == {
        entry["planSummary"].startswith("IXSCAN { secret_id: 1, version: 1") for entry in profile
    }
    assert 7 == len(profile)
    assert 4 == sum(entry["docsExamined"] for entry in profile)
    assert not any(entry.get("hasSortStage") for entry in profile)
    assert 2 == len(store.audit.last_deliveries("s", [1, 2, 3], 2))
