"""tokens.names: people read names, not ids."""

from collections.abc import Callable

from flask.testing import FlaskClient
from pymongo.database import Database

from tests.calls import TOKEN, ask, id_of, post


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
