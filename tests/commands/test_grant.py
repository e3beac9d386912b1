"""commands.grant: what an operator does without a token."""

import json

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database

from tests.calls import post
from tests.commands.test_indexes import run

CREATE = ("grant", "create", "--service", "billing_*", "--path", "team/billing/*")


def test_creates_lists_and_deletes(
    environment: dict[str, str], client: FlaskClient, database: Database
) -> None:
    """One JSON object per grant, as the API has it; the audit log names the operator."""
    created = run(environment, *CREATE, "--service", "shop_api", "--node", "n1")
    listed = run(environment, "grant", "list")

    assert (0, "") == (created.returncode, created.stderr)
    grant = json.loads(created.stdout)
    assert ["billing_*", "shop_api"] == grant["services"]
    assert (["team/billing/*"], ["n1"], [], "operator") == (
        grant["paths"],
        grant["nodes"],
        grant["images"],
        grant["created_by"],
    )
    assert [grant] == [json.loads(line) for line in listed.stdout.splitlines()]
    (of_the_api,) = post(client, "/vault/grant/list", {}).json["grants"]
    assert grant == of_the_api

    deleted = run(environment, "grant", "delete", grant["grant_id"])
    assert (0, f"deleted {grant['grant_id']}\n") == (deleted.returncode, deleted.stdout)
    assert "" == run(environment, "grant", "list").stdout
    recorded = list(database.audit_logs.find({"operation": {"$in": ["grant_create", "grant_delete"]}}))
    assert {("operator", grant["grant_id"])} == {(record["actor"], record["grant_id"]) for record in recorded}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("create", "--service", "a*b", "--path", "a"), "write a service's name, or its beginning and a *"),
        (
            ("create", "--service", "a", "--path", "a*"),
            "write team/app/db-password, team/app/* for all below",
        ),
        ((*CREATE[1:], "--image", "billing:1"), "write an image with its digest"),
        (("delete", "0f3a5b7c9d1e2f40"), "Grant not found; `grant list` shows those that there are"),
    ],
    ids=str,
)
def test_says_in_one_line_why_it_cannot(
    environment: dict[str, str], database: Database, arguments: tuple[str, ...], says: str
) -> None:
    """Exit code 2, nothing on standard output, nothing created."""
    finished = run(environment, "grant", *arguments)

    assert (2, "", 1) == (finished.returncode, finished.stdout, len(finished.stderr.splitlines()))
    assert says in finished.stderr
    assert 0 == database.grants.count_documents({})


def test_names_an_altered_grant(environment: dict[str, str], client: FlaskClient, database: Database) -> None:
    """By its id, and by the exit code; it can be deleted."""
    grant_id = json.loads(run(environment, *CREATE).stdout)["grant_id"]
    database.grants.update_one({}, {"$set": {"paths": ["*"]}})

    listed = run(environment, "grant", "list")

    says = f"{grant_id}: its record does not authenticate, so it grants nothing\n"
    assert (1, "", says) == (listed.returncode, listed.stdout, listed.stderr)
    assert 0 == run(environment, "grant", "delete", grant_id).returncode
    assert 0 == database.grants.count_documents({})
