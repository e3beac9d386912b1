"""commands.token: what an operator does without a token."""

import json
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database

from service.access import token_format
from tests.calls import UNKNOWN, WHOAMI, id_of, post
from tests.commands.test_indexes import run

ADMIN = ("token", "create", "--name", "first", "--scope", "admin")


def test_the_first_token_comes_from_the_command(
    environment: dict[str, str], guarded: FlaskClient, database: Database
) -> None:
    """One line, the token; it works, and the audit log names the operator."""
    finished = run(environment, *ADMIN, AUTH_REQUIRED="true")

    assert (0, "") == (finished.returncode, finished.stderr)
    (token,) = finished.stdout.splitlines()
    assert ["admin"] == post(guarded, WHOAMI, None, token).json["scopes"]
    record = database.audit_logs.find_one({"operation": "token_create"})
    assert ("operator", "success", id_of(token), "127.0.0.1") == (
        record["actor"],
        record["status"],
        record["token_id"],
        record["client_ip"],
    )


def test_creates_one_only_if_there_is_no_administrator(
    environment: dict[str, str], database: Database
) -> None:
    """So that a role can call it at every run: the second time it prints nothing."""
    first = run(environment, *ADMIN, "--if-no-admin").stdout
    again = run(environment, *ADMIN, "--if-no-admin")

    assert token_format.parse(first.strip())
    assert (0, "", "") == (again.returncode, again.stdout, again.stderr)
    assert 1 == database.tokens.count_documents({})

    run(environment, "token", "revoke", id_of(first))
    assert token_format.parse(run(environment, *ADMIN, "--if-no-admin").stdout.strip())


def test_an_administrator_made_without_authentication_does_not_count(
    environment: dict[str, str], client: FlaskClient, database: Database
) -> None:
    """A token made while authentication was off does not prevent the operator's own."""
    made = client.post("/vault/token/create", json={"name": "x", "scopes": ["admin"]})
    assert 200 == made.status_code

    assert token_format.parse(run(environment, *ADMIN, "--if-no-admin").stdout.strip())


def test_ties_a_token_to_networks(environment: dict[str, str]) -> None:
    """As the API does: `list` shows them."""
    run(
        environment,
        *("token", "create", "--name", "x", "--scope", "deliver:*"),
        *("--network", "192.0.2.7", "--network", "2001:db8::/64"),
    )

    listed = json.loads(run(environment, "token", "list").stdout)

    assert ["192.0.2.7", "2001:db8::/64"] == listed["networks"]


def test_revokes_even_if_the_service_cannot_start(
    environment: dict[str, str], give: Callable[..., str]
) -> None:
    """For example without the API's certificate; a leaked token must still be revoked."""
    token = give("admin")

    revoked = run(
        environment, "token", "revoke", id_of(token), TLS_CERT_FILE="/nowhere", TLS_KEY_FILE="/nowhere"
    )

    assert (0, f"revoked {id_of(token)}\n") == (revoked.returncode, revoked.stdout)


def test_lists_and_revokes(
    environment: dict[str, str], give: Callable[..., str], guarded: FlaskClient, database: Database
) -> None:
    """One JSON object per token, without anything usable; its descendants are revoked with it."""
    parent = give("token", "fetch:*")
    child = post(guarded, "/vault/token/create", {"name": "c", "scopes": ["fetch:*"]}, parent).json["token"]

    listed = run(environment, "token", "list").stdout
    shown = {one["token_id"]: one for one in map(json.loads, listed.splitlines())}
    contradicting = ("--descendants", "--keep-descendants")
    assert 2 == run(environment, "token", "revoke", id_of(parent), *contradicting).returncode
    revoked = run(environment, "token", "revoke", id_of(parent))

    assert {id_of(parent), id_of(child)} == shown.keys()
    assert ["token", "fetch:*"] == shown[id_of(parent)]["scopes"]
    for token in (parent, child):
        assert token_format.parse(token).secret.hex() not in listed
        assert token_format.parse(token).digest.hex() not in listed
    assert f"revoked {id_of(parent)}\nrevoked {id_of(child)}\n" == revoked.stdout
    assert "2 of these were not revoked before\n" == revoked.stderr
    assert 2 == database.tokens.count_documents({"revoked_at": {"$ne": None}})
    assert ["operator"] == database.audit_logs.distinct(
        "actor", {"operation": {"$in": ["token_list", "token_revoke"]}}
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ("create", "--name", "x", "--scope", "fetch"),
            "fetch takes a path: write fetch:team/app/db-password",
        ),
        (("create", "--name", "x", "--scope", "root"), "a scope begins with one of create, fetch"),
        (("create", "--name", "", "--scope", "admin"), "printable characters"),
        (("create", "--name", "x", "--scope", "admin", "--expires-in", "0"), "a number of seconds above 0"),
        (("create", "--name", "x", "--scope", "admin", "--expires-in", "999999999999"), "315360000 seconds"),
        (("create", "--name", "x", "--scope", "admin", "--renewable"), "give expires_in too"),
        (("create", "--name", "x", "--scope", "admin", "--network", "10.0.0.1/8"), "no host bits set"),
        (("revoke", "0" * 16), "Token not found; `token list` shows those that there are"),
        (("revoke", UNKNOWN), "Token not found; `token list` shows those that there are"),
    ],
    ids=str,
)
def test_says_in_one_line_why_it_cannot(
    environment: dict[str, str], database: Database, arguments: tuple[str, ...], says: str
) -> None:
    """Exit code 2, nothing on standard output, nothing created."""
    finished = run(environment, "token", *arguments)

    assert (2, "", 1) == (finished.returncode, finished.stdout, len(finished.stderr.splitlines()))
    assert says in finished.stderr
    assert 0 == database.tokens.count_documents({})


def test_an_altered_token_is_one_line_too(
    environment: dict[str, str], give: Callable[..., str], database: Database
) -> None:
    """No traceback for a changed document."""
    token = give("fetch:*")
    database.tokens.update_one({"_id": id_of(token)}, {"$set": {"scopes": ["admin"]}})
    forged = run(environment, "token", "revoke", id_of(token))
    database.tokens.update_one({"_id": id_of(token)}, {"$unset": {"scopes": True}})
    broken = run(environment, "token", "list")

    assert (2, 1) == (forged.returncode, len(forged.stderr.splitlines()))
    assert "a stored token cannot be trusted" in forged.stderr
    says = f"{id_of(token)}: its record does not authenticate, so the token is refused\n"
    assert (1, says) == (broken.returncode, broken.stderr)


def test_a_token_without_an_audit_record_is_not_shown(
    environment: dict[str, str], database: Database, nothing_yet: None
) -> None:
    """Without an audit record no token is printed."""
    database.create_collection("audit_logs", validator={"never": {"$exists": True}})

    finished = run(environment, *ADMIN)

    assert (2, "") == (finished.returncode, finished.stdout)
    assert "the audit log cannot be written" in finished.stderr
