"""commands.approle: what an operator does without a token."""

import json

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database

from tests.calls import APPROLE, FETCH, id_of, post
from tests.commands.test_indexes import run

CREATE = ("approle", "create", "--name", "ci", "--scope", "fetch:team/*")


def test_creates_lists_and_deletes(
    environment: dict[str, str], client: FlaskClient, database: Database
) -> None:
    """One JSON object per role; what it prints logs in at the API."""
    created = run(environment, *CREATE, "--expires-in", "60", "--not-renewable", "--network", "127.0.0.0/8")
    assert (0, "") == (created.returncode, created.stderr)
    role = json.loads(created.stdout)
    assert ("ci", ["fetch:team/*"], 60, False, ["127.0.0.0/8"], "operator") == (
        role["name"],
        role["scopes"],
        role["lifetime"],
        role["renewable"],
        role["networks"],
        role["created_by"],
    )
    assert [role] == [json.loads(line) for line in run(environment, "approle", "list").stdout.splitlines()]

    made = run(environment, "approle", "secret-id", "create", "ci", "--max-uses", "1")
    text = made.stdout.strip()
    assert f"role id {role['role_id']}, accessor {id_of(text)}\n" == made.stderr
    body = {"role_id": role["role_id"], "secret_id": text}
    assert [200, 401] == [post(client, APPROLE + "login", body).status_code for _ in range(2)]
    listed = json.loads(run(environment, "approle", "secret-id", "list", "ci").stdout)
    assert (id_of(text), 1, role["role_id"]) == (listed["accessor"], listed["uses"], listed["role_id"])
    assert "digest" not in listed

    revoked = run(environment, "approle", "secret-id", "revoke", id_of(text))
    assert (0, f"revoked {id_of(text)}\n") == (revoked.returncode, revoked.stdout)
    deleted = run(environment, "approle", "delete", "ci")
    assert (0, f"deleted {role['role_id']}\n") == (deleted.returncode, deleted.stdout)
    assert "" == run(environment, "approle", "list").stdout
    recorded = list(database.audit_logs.find({"operation": {"$regex": "^approle_"}, "actor": "operator"}))
    assert 7 == len(recorded)


def test_wraps_a_secret_id(environment: dict[str, str], client: FlaskClient) -> None:
    """What it prints fetches the secret id once."""
    run(environment, *CREATE)

    shown = json.loads(run(environment, "approle", "secret-id", "create", "ci", "--wrap", "60").stdout)

    answers = [post(client, FETCH, shown["fetch"], shown["token"]).status_code for _ in range(2)]
    assert [200, 404] == answers


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((*CREATE[1:3], "a b", *CREATE[4:]), "letters, digits, dots, hyphens and underscores"),
        ((*CREATE[1:], "--network", "x"), "is not an address or a network"),
        (("delete", "ci"), "AppRole not found; `approle list` shows those that there are"),
        (("secret-id", "create", "ci"), "AppRole not found"),
        (("secret-id", "revoke", "0f3a5b7c9d1e2f40"), "`approle secret-id list` shows those that there are"),
    ],
    ids=str,
)
def test_says_in_one_line_why_it_cannot(
    environment: dict[str, str], database: Database, arguments: tuple[str, ...], says: str
) -> None:
    """Exit code 2, nothing on standard output, nothing created."""
    finished = run(environment, "approle", *arguments)

    assert (2, "", 1) == (finished.returncode, finished.stdout, len(finished.stderr.splitlines()))
    assert says in finished.stderr
    assert 0 == database.approles.count_documents({})


def test_a_name_is_taken(environment: dict[str, str], indexed: None) -> None:
    """By a role that there is."""
    run(environment, *CREATE)

    finished = run(environment, *CREATE)

    assert (2, "") == (finished.returncode, finished.stdout)
    assert "another AppRole has this name" in finished.stderr


def test_names_an_altered_role(environment: dict[str, str], client: FlaskClient, database: Database) -> None:
    """By its id, and by the exit code; it can be deleted."""
    role_id = json.loads(run(environment, *CREATE).stdout)["role_id"]
    database.approles.update_one({}, {"$set": {"scopes": ["admin"]}})

    listed = run(environment, "approle", "list")

    says = f"{role_id}: its record does not authenticate, so nobody can log in\n"
    assert (1, "", says) == (listed.returncode, listed.stdout, listed.stderr)
    assert 0 == run(environment, "approle", "delete", role_id).returncode
    assert 0 == database.approles.count_documents({})
