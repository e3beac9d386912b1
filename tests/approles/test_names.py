"""approles.names: people read names, not ids."""

from collections.abc import Callable

from flask.testing import FlaskClient
from pymongo.database import Database

from tests.approles.roles import make_role
from tests.calls import APPROLE, TOKEN, ask, id_of, post


def test_actors_have_names(guarded: FlaskClient, give: Callable[..., str], database: Database) -> None:
    """In a description and in the log, also of tokens that have ended; only if they are asked for."""
    admin = give("admin")
    created = post(
        guarded, TOKEN + "create", {"name": "billing", "scopes": ["create:*", "list:*"]}, admin
    ).json
    ask(guarded, "create/", created["token"], path="a", secret="YQ==")
    post(guarded, TOKEN + "revoke", {"token_id": created["token_id"]}, admin)

    described = ask(guarded, "describe", give("list:a"), path="a", names=True)
    assert {created["token_id"]: "billing"} == described.json["names"]
    assert "names" not in ask(guarded, "describe", admin, path="a").json
    search = {"operation": "token_revoke", "names": True}
    found = post(guarded, "/vault/audit/search", search, give("audit")).json
    assert {created["token_id"]: "billing", id_of(admin): "test"} == found["names"]

    database.tokens.update_one({"_id": created["token_id"]}, {"$set": {"name": "somebody else"}})
    assert {} == ask(guarded, "describe", admin, path="a", names=True).json["names"]


def test_roles_that_log_in_have_names(
    guarded: FlaskClient, give: Callable[..., str], database: Database
) -> None:
    """Also deleted ones, but none that was altered."""
    admin = give("admin")
    role, deleted, altered = (make_role(guarded, admin, name=name) for name in ("ci", "deleted", "altered"))
    tokens = [each.token() for each in (role, deleted, altered)]
    post(guarded, APPROLE + "delete", {"role": deleted.role_id}, admin)
    database.approles.update_one({"_id": altered.role_id}, {"$set": {"name": "somebody else"}})

    search = {"operation": "approle_login", "names": True}
    found = post(guarded, "/vault/audit/search", search, give("audit")).json

    actors = {record["actor"] for record in found["records"]}
    assert {f"approle:{each.role_id}" for each in (role, deleted, altered)} == actors
    assert {f"approle:{role.role_id}": "ci", f"approle:{deleted.role_id}": "deleted"} == {
        actor: name for actor, name in found["names"].items() if actor.startswith("approle:")
    }
    # Each login's token is named after its role.
    assert "ci" == found["names"][id_of(tokens[0])]
