"""secrets.rights: nobody does by an update what they may not do by its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import chain, combinations, product
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database

from tests.calls import ask, post

OLD, NEW = "old/secret", "new/secret"
ACTIONS = ("create", "fetch", "list", "delete")
TOMORROW, IN_A_WEEK = 86_400, 604_800


def subsets(items: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Return all subsets."""
    return chain.from_iterable(combinations(items, count) for count in range(len(items) + 1))


@pytest.mark.parametrize("by", ["path", "secret_id"])
def test_a_move_takes_reading_and_deleting_here_and_creating_there(
    client: FlaskClient, guarded: FlaskClient, give: Callable[..., str], by: str
) -> None:
    """For all pairs of what a token may do at the two places; a refused one changes nothing."""
    secret_id = ask(client, "create/", path=OLD, secret="YQ==").json["secret_id"]
    named = {"path": OLD} if by == "path" else {"secret_id": secret_id}
    for here, there in product(subsets(ACTIONS), subsets(ACTIONS)):
        token = give(
            "update:old/*", *(f"{each}:old/*" for each in here), *(f"{each}:new/*" for each in there)
        )

        moved = ask(guarded, "update", token, **named, new_path=NEW)

        allowed = {"fetch", "delete"} <= set(here) and "create" in there
        assert (200 if allowed else 403) == moved.status_code, (here, there, moved.text)
        assert allowed == (ask(client, "fetch", path=NEW).status_code == 200)
        assert allowed != (ask(client, "fetch", path=OLD).status_code == 200)
        if allowed:
            assert 200 == ask(client, "update", path=NEW, new_path=OLD).status_code


def test_a_secret_without_a_path_is_moved_by_its_owner_alone(
    guarded: FlaskClient, give: Callable[..., str]
) -> None:
    """Whatever others may do elsewhere; an administrator may do everything."""
    owner, other, admin = give("create:*"), give("update:*", "create:*", "fetch:*", "delete:*"), give("admin")
    first, second = (ask(guarded, "create/", owner, secret="YQ==").json["secret_id"] for _ in range(2))

    assert 404 == ask(guarded, "update", other, secret_id=first, new_path=NEW).status_code
    assert 200 == ask(guarded, "update", owner, secret_id=first, new_path=NEW).status_code
    assert 200 == ask(guarded, "update", admin, secret_id=second, new_path=OLD).status_code


def test_a_move_is_found_by_either_path(
    client: FlaskClient, guarded: FlaskClient, give: Callable[..., str]
) -> None:
    """The record names both, also of a move that was refused, and of one by id."""
    secret_id = ask(client, "create/", path=OLD, secret="YQ==").json["secret_id"]
    refused = give("update:old/*", "create:new/*")

    assert 403 == ask(guarded, "update", refused, secret_id=secret_id, new_path=NEW).status_code
    assert 200 == ask(client, "update", secret_id=secret_id, new_path=NEW).status_code

    for path in (OLD, NEW):
        records = post(client, "/vault/audit/search", {"path": path, "operation": "update"}).json["records"]
        assert [(OLD, NEW, "success", True), (OLD, NEW, "failure", True)] == [
            (each["path"], each["new_path"], each["status"], each["authentic"]) for each in records
        ]


def test_a_search_for_a_path_uses_an_index_for_both(
    client: FlaskClient, database: Database, indexed: None
) -> None:
    """The log may be long."""
    ask(client, "create/", path=OLD, secret="YQ==")
    ask(client, "update", path=OLD, new_path=NEW)
    database.command("profile", 2)
    post(client, "/vault/audit/search", {"path": NEW})
    database.command("profile", 0)

    (plan,) = {
        each["planSummary"]
        for each in database["system.profile"].find({"op": "query", "ns": "vault.audit_logs"})
    }
    assert ["IXSCAN", "IXSCAN"] == re.findall(r"[A-Z]{4,}", plan)
    assert {"path", "new_path"} == set(re.findall(r"\{ (\w+): 1", plan))


SHORTER = {
    "fewer versions": ({}, {"max_versions": 1}),
    "an end": ({}, {"expires_in": TOMORROW}),
    "an end that has passed": ({}, {"expires_in": 1}),
    "a sooner end": ({"expires_in": IN_A_WEEK}, {"expires_in": TOMORROW}),
    "an end of its version": ({}, {"version_expires_in": TOMORROW}),
    "a sooner end of its version": ({"version_expires_in": IN_A_WEEK}, {"version_expires_in": TOMORROW}),
    "versions that are deleted": ({}, {"delete_version_after": IN_A_WEEK}),
    "versions that are deleted sooner": (
        {"delete_version_after": IN_A_WEEK},
        {"delete_version_after": TOMORROW},
    ),
    "limited reads": ({}, {"max_reads": 5}),
    "fewer reads": ({"max_reads": 5}, {"max_reads": 4}),
    "a value and an end": ({}, {"secret": "Yg==", "expires_in": TOMORROW}),
}
MORE_READS = {
    "no limit": ({"max_reads": 2}, {"max_reads": None}),
    "more": ({"max_reads": 2}, {"max_reads": 3}),
}
HARMLESS = {
    "a value": ({}, {"secret": "Yg=="}),
    "a value that ends": ({}, {"secret": "Yg==", "version_expires_in": TOMORROW}),
    "labels": ({}, {"labels": {"a": "b"}}),
    "compare-and-set": ({"cas_required": True}, {"cas_required": False}),
    "more versions": ({"max_versions": 2}, {"max_versions": 3}),
    "a later end": ({"expires_in": TOMORROW}, {"expires_in": IN_A_WEEK}),
    "no end": ({"expires_in": TOMORROW}, {"expires_in": None}),
    "the same limit before a read": ({"max_reads": 2}, {"max_reads": 2}),
    "its own path": ({}, {"new_path": OLD}),
}
CASES = {
    **{name: (*case, {"delete"}) for name, case in SHORTER.items()},
    **{name: (*case, {"create", "delete"}) for name, case in MORE_READS.items()},
    **{name: (*case, set()) for name, case in HARMLESS.items()},
}


@pytest.mark.parametrize(("before", "change", "needed"), CASES.values(), ids=CASES)
def test_settings_that_amount_to_another_action_take_its_scope(
    client: FlaskClient,
    guarded: FlaskClient,
    give: Callable[..., str],
    before: dict[str, Any],
    change: dict[str, Any],
    needed: set[str],
) -> None:
    """For all sets of scopes; a refused change leaves everything as it was."""
    if change.get("new_path"):
        needed = {"create"}
    for held in subsets(ACTIONS):
        secret_id = ask(client, "create/", path=OLD, secret="YQ==", **before).json["secret_id"]
        stood = ask(client, "describe", path=OLD).json
        token = give("update:old/*", *(f"{each}:old/*" for each in held))

        changed = ask(guarded, "update", token, path=OLD, **change)

        assert (200 if needed <= set(held) else 403) == changed.status_code, (held, changed.text)
        if changed.status_code == 403:
            assert stood == ask(client, "describe", path=OLD).json
        ask(client, "destroy", secret_id=secret_id)


def test_the_same_limit_after_a_read_gives_more_reads(
    client: FlaskClient, guarded: FlaskClient, give: Callable[..., str]
) -> None:
    """It is counted from the change on."""
    ask(client, "create/", path=OLD, secret="YQ==", max_reads=2)
    ask(client, "fetch", path=OLD)

    assert 403 == ask(guarded, "update", give("update:*", "delete:*"), path=OLD, max_reads=2).status_code
    assert 1 == ask(client, "describe", path=OLD).json["reads_left"]
