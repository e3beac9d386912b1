"""api.keys.views: administrators see the key ids and their use; the keys themselves are never shown."""

from collections.abc import Callable
from pathlib import Path

from flask.testing import FlaskClient
from pymongo.database import Database
from werkzeug.test import TestResponse

from service.api.dependencies import dependencies
from service.crypto.aead import key_id_of
from service.keys.wrap_counter import BLOCK_SIZE, WARN_AT
from tests.calls import CREATE, id_of, post
from tests.conftest import MASTER_KEY, OTHER_MASTER_KEY

STATUS = "/vault/key/status"
OLD, NEW = (key_id_of(key).hex() for key in (MASTER_KEY, OTHER_MASTER_KEY))


def get(client: FlaskClient, token: str | None = None) -> TestResponse:
    """Call as the holder of a token."""
    return client.get(STATUS, headers={} if token is None else {"Authorization": f"Bearer {token}"})


def test_counts_what_depends_on_each_key(
    client: FlaskClient, make_client: Callable[..., FlaskClient], tmp_path: Path, database: Database
) -> None:
    """The primary key comes first; records that name no key are counted separately."""
    (tmp_path / "v1").write_bytes(MASTER_KEY)
    (tmp_path / "v2").write_bytes(OTHER_MASTER_KEY)
    post(client, CREATE, {"secret": "YQ==", "path": "a"})
    post(client, CREATE, {"secret": "YQ=="})
    post(client, "/vault/token/create", {"name": "x", "scopes": ["audit"]})
    post(client, "/vault/grant/create", {"services": ["x"], "paths": ["a"]})
    post(client, "/vault/approle/create", {"name": "x", "scopes": ["audit"]})
    post(client, "/vault/approle/secret-id/create", {"role": "x"})
    both = make_client(MASTER_KEY=None, MASTER_KEYS_DIR=str(tmp_path), MASTER_KEY_PRIMARY="v2")
    post(both, CREATE, {"secret": "YQ==", "path": "b"})
    database.secrets.insert_many(
        [{"_id": "old", "ciphertext": "AAAA"}, {"_id": "odd", "tag": 1, "versions": [{"data_key": b""}, 7]}]
    )

    answer = both.get(STATUS).json

    old, new = ({"key_id": key_id, "held": True} for key_id in (OLD, NEW))
    assert [
        new
        | {
            "primary": True,
            "canary": False,
            "audit_key": False,
            "versions": 1,
            "secret_tags": 1,
            "token_tags": 0,
            "grant_tags": 0,
            "approle_tags": 0,
        }
        | {"wraps": BLOCK_SIZE + 1},
        old
        | {
            "primary": False,
            "canary": True,
            "audit_key": True,
            "versions": 2,
            "secret_tags": 2,
            "token_tags": 1,
            "grant_tags": 1,
            "approle_tags": 2,
        }
        | {"wraps": BLOCK_SIZE + 2},
    ] == answer["keys"]
    assert (1, 2, []) == (answer["legacy"], answer["malformed"], answer["warnings"])


def test_warns_of_a_key_near_its_limit_of_wraps(client: FlaskClient, database: Database) -> None:
    """Early, because a rotation takes time."""
    post(client, CREATE, {"secret": "YQ=="})
    database.meta.update_one({"_id": f"key {OLD}"}, {"$set": {"wraps": WARN_AT}})

    (used_up,) = get(client).json["warnings"]

    assert f"{OLD} may have made" in used_up


def test_warns_of_a_key_that_is_missing(
    client: FlaskClient, make_client: Callable[..., FlaskClient], tmp_path: Path, database: Database
) -> None:
    """Even if the process serves no secret, as long as it can write to the audit log."""
    (tmp_path / "v1").write_bytes(MASTER_KEY)
    (tmp_path / "v2").write_bytes(OTHER_MASTER_KEY)
    post(client, CREATE, {"secret": "YQ=="})
    both = make_client(MASTER_KEY=None, MASTER_KEYS_DIR=str(tmp_path), MASTER_KEY_PRIMARY="v2")
    with both.application.app_context():
        assert dependencies().audit_log.key.rewrap()
    (tmp_path / "v1").unlink()
    new = make_client(MASTER_KEY=None, MASTER_KEYS_DIR=str(tmp_path), MASTER_KEY_PRIMARY="v2")
    assert 503 == post(new, CREATE, {"secret": "YQ=="}).status_code

    answer = get(new).json

    assert [(NEW, True), (OLD, False)] == [(key["key_id"], key["held"]) for key in answer["keys"]]
    (missing,) = answer["warnings"]
    assert f"lacks master key {OLD}" in missing


def test_names_the_key_that_the_audit_log_needs(
    client: FlaskClient, make_client: Callable[..., FlaskClient], tmp_path: Path, database: Database
) -> None:
    """Without it no record can be written, so every call gets a 503."""
    (tmp_path / "v2").write_bytes(OTHER_MASTER_KEY)
    post(client, CREATE, {"secret": "YQ=="})
    new = make_client(MASTER_KEY=None, MASTER_KEYS_DIR=str(tmp_path), MASTER_KEY_PRIMARY="v2")

    answer = get(new)

    assert 503 == answer.status_code
    assert f"the audit log cannot be written: sealed under master key {OLD}" in answer.json["detail"]
    assert f"sealed under master key {OLD}" in new.get("/readyz").json["checks"]["audit"]


def test_is_for_administrators_and_is_recorded(
    guarded: FlaskClient, give: Callable[..., str], database: Database
) -> None:
    """Refused calls too."""
    admin, other = give("admin"), give("audit", "token", "fetch:*")

    assert [200, 403, 401] == [get(guarded, token).status_code for token in (admin, other, None)]
    assert [(id_of(admin), "success", None), (id_of(other), "failure", "forbidden")] == [
        (record["actor"], record["status"], record["reason"])
        for record in database.audit_logs.find({"operation": "key_status"}).sort("_id").limit(2)
    ]
