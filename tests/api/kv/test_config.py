"""api.kv.config: what a mount says for all secrets on it."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database

from service.secrets import folder_defaults, folders
from tests.api.kv.calls import Vault
from tests.calls import ask

DEFAULTS = {"max_versions": 0, "cas_required": False, "delete_version_after": "0s"}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for other processes: there are none."""
    monkeypatch.setattr(folder_defaults, "HOLD_SECONDS", 0)
    monkeypatch.setattr(folders, "HOLD_SECONDS", 0)


def test_sets_what_is_sent(kv: Vault, vault_as: Callable[..., Vault]) -> None:
    """Whoever has a scope on the mount may read it, administrators may change it."""
    assert kv.get("secret/config").json["data"] == DEFAULTS
    assert 204 == kv.put("secret/config", {"max_versions": 4, "delete_version_after": "1h"}).status_code
    assert 204 == kv.send("POST", "secret/config", {"cas_required": True}).status_code

    expected = {"max_versions": 4, "cas_required": True, "delete_version_after": "1h0m0s"}
    assert expected == vault_as("fetch:x").get("secret/config").json["data"]
    assert 403 == vault_as("token").get("secret/config").status_code
    assert 403 == vault_as("update:*").put("secret/config", {}).status_code
    assert 204 == kv.put("secret/config", {"delete_version_after": "-1s"}).status_code
    assert "0s" == kv.get("secret/config").json["data"]["delete_version_after"]
    assert 400 == kv.put("secret/config", {"max_versions": 101}).status_code


def test_holds_for_secrets_that_do_not_say_otherwise(kv: Vault) -> None:
    """The larger number of versions, the shorter time, and check-and-set if either wants it."""
    kv.put("secret/config", {"max_versions": 2, "delete_version_after": "1h"})
    kv.put("secret/metadata/own", {"max_versions": 3, "delete_version_after": "1m"})
    for n in range(5):
        kv.write("plain", x=n)
        kv.write("own", x=n)

    def versions(path: str) -> Any:
        return kv.get(f"secret/metadata/{path}").json["data"]["versions"]

    assert ({"4", "5"}, {"3", "4", "5"}) == (versions("plain").keys(), versions("own").keys())
    for path in ("plain", "own"):
        assert versions(path)["5"]["deletion_time"]
    assert 0 == kv.get("secret/metadata/plain").json["data"]["max_versions"]

    kv.put("secret/config", {"cas_required": True})
    for path in ("plain", "new"):
        response = kv.put(f"secret/data/{path}", {"data": {}})
        assert "check-and-set parameter required for this call" == response.json["errors"][0]
    assert 200 == kv.put("secret/data/new", {"data": {}, "options": {"cas": 0}}).status_code


def test_is_seen_natively(guarded: FlaskClient, kv: Vault, give: Callable[..., str]) -> None:
    """Describe shows what applies, and what of it is not the secret's own; updates keep to it."""
    token = give("admin")
    ask(guarded, "create/", token, secret="", path="a", delete_version_after=7200)
    kv.put("secret/config", {"cas_required": True, "delete_version_after": "1h"})

    described = ask(guarded, "describe", token, path="a").json
    assert (10, True, 3600) == (
        *(described["max_versions"], described["cas_required"]),
        described["delete_version_after"],
    )
    assert ["max_versions", "cas_required", "delete_version_after"] == described["inherited"]
    assert 422 == ask(guarded, "update", token, path="a", secret="").status_code


def test_the_nearest_folder_counts(make_client: Callable[..., FlaskClient]) -> None:
    """A mount's settings hold below its prefix, also for secrets reached another way."""
    kv = Vault(make_client(KV_MOUNTS="secret=,kv=legacy/app"))
    kv.put("secret/config", {"cas_required": True})
    kv.put("kv/config", {"max_versions": 3})

    assert 200 == kv.put("kv/data/x", {"data": {}}).status_code
    assert 200 == kv.put("secret/data/legacy/app/y/z", {"data": {}}).status_code
    assert 400 == kv.put("secret/data/legacy/other", {"data": {}}).status_code


def test_is_no_secret(kv: Vault, guarded: FlaskClient, give: Callable[..., str]) -> None:
    """No list shows it, and nobody can name it."""
    kv.put("secret/config", {"max_versions": 3})
    kv.write("a", x="1")
    token = give("admin")

    assert {"keys": ["a"]} == kv.send("LIST", "secret/metadata").json["data"]
    for query in ({}, {"recursive": False}, {"deleted": True}, {"unnamed": True}):
        listed = ask(guarded, "list", token, **query).json
        assert (listed["altered"], listed["folders"]) == ([], [])
        assert {each["path"] for each in listed["secrets"]} <= {"a"}
    assert 422 == ask(guarded, "fetch", token, secret_id="folder /").status_code


def test_an_altered_record_is_noticed(kv: Vault, database: Database) -> None:
    """Whoever can write to the database could otherwise have versions destroyed."""
    kv.put("secret/config", {"max_versions": 50})
    database.secrets.update_one({"_id": "folder /"}, {"$set": {"max_versions": 1}})

    assert 500 == kv.put("secret/data/a", {"data": {}}).status_code


def test_a_change_is_answered_when_it_holds_everywhere(
    make_client: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process relies on what it has read for as long as the answer takes."""
    monkeypatch.setattr(folder_defaults, "HOLD_SECONDS", 0.3)
    monkeypatch.setattr(folders, "HOLD_SECONDS", 0.3)
    one, other = Vault(make_client()), Vault(make_client())
    assert 200 == other.put("secret/data/a", {"data": {}}).status_code

    assert 204 == one.put("secret/config", {"cas_required": True}).status_code

    assert 400 == other.put("secret/data/a", {"data": {}}).status_code
