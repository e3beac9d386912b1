"""backup.drill: restores a backup into staging collections and opens every record."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database

from service.audit.checkpointer import Checkpointer, audit_log
from service.audit.writer import ChainWriter
from service.crypto.keyring import KeyRing
from service.errors import Tampered
from service.store.audit_keys import AUDIT_KEY
from service.store.backup_collections import INCLUDED, STAGING_COLLECTIONS
from service.store.store import Store
from tests.api.kv.calls import Vault
from tests.approles.roles import make_role
from tests.backup.backups import Operator, Watcher
from tests.calls import FOLDER, SHARE, ask, id_of, post

GRANT = "/vault/grant/create"


@pytest.fixture
def operator(store: Store, ring: KeyRing, indexed: None) -> Operator:
    """The operator with the key of the database."""
    return Operator(store, ring, Watcher())


def checkpoint(operator: Operator) -> None:
    """Make a checkpoint, as a process does once per interval."""
    log = audit_log(operator.store, operator.ring, 60, 0)
    assert Checkpointer(log, ChainWriter(operator.store.audit, log.key.keys)).run(due=True)


def test_opens_every_record_and_reports_to_every_worker(
    client: FlaskClient, give: Callable[..., str], operator: Operator, database: Database
) -> None:
    """Of every collection in the backup; nothing of it stays in the database."""
    assert "vault_restore_drill" not in client.get("/metrics").text
    for path in ("a", "b", "gone"):
        ask(client, "create/", secret="YQ==", path=path)
    ask(client, "destroy", path="gone")
    give("fetch:*")
    post(client, GRANT, {"services": ["x"], "paths": ["a"]})
    make_role(client, give("admin")).secret_id()
    assert 200 == post(client, SHARE + "create", {"for": "Grace", "secret": "YQ=="}).status_code
    post(client, FOLDER + "configure", {"prefix": "folder/", "cas_required": True})
    Vault(client).put("secret/metadata/empty", {"max_versions": 5})
    checkpoint(operator)
    backup = operator.back_up()
    there = sum(database[name].count_documents({}) for name in INCLUDED)

    result, failed = operator.drill(backup)

    assert (True, 0, []) == (result.success, result.failed, failed)
    assert all(database[name].count_documents({}) for name in INCLUDED)
    assert there == result.records
    assert not set(STAGING_COLLECTIONS) & set(database.list_collection_names())
    shown = client.get("/metrics").text
    assert "vault_restore_drill_success 1.0\n" in shown
    assert f"vault_restore_drill_records {float(result.records)}\n" in shown
    assert "vault_restore_drill_backup_timestamp_seconds" in shown


def test_names_what_does_not_open(
    client: FlaskClient, give: Callable[..., str], operator: Operator, database: Database
) -> None:
    """It did not open when the backup was made either; the drill still fails."""
    secret_id = ask(client, "create/", secret="YQ==", path="a").json["secret_id"]
    ask(client, "create/", secret="YQ==", path="b")
    give("fetch:*")
    grant_id = post(client, GRANT, {"services": ["x"], "paths": ["a"]}).json["grant_id"]
    database.grants.update_one({}, {"$set": {"paths": ["*"]}})
    role = make_role(client, give("admin"))
    accessor = id_of(role.secret_id(max_uses=1))
    database.approles.update_one({}, {"$set": {"scopes": ["admin"]}})
    database.approle_secret_ids.update_one({}, {"$set": {"max_uses": 2}})
    share_id = post(client, "/vault/share/create", {"secret": "YQ==", "for": "x"}).json["share_id"]
    database.shares.update_one({}, {"$set": {"tries": 4}})
    database.secrets.update_one({"_id": secret_id}, {"$set": {"versions.0.payload": bytes(60)}})
    database.secrets.update_one({"path": "b"}, {"$set": {"path": "c"}})
    post(client, FOLDER + "configure", {"prefix": "folder/", "max_versions": 20})
    database.secrets.update_one({"path": "folder/"}, {"$set": {"max_versions": 1}})
    Vault(client).put("secret/metadata/empty", {"max_versions": 5})
    database.secrets.update_one({"path": "empty"}, {"$set": {"cas_required": True}})
    database.tokens.update_one({}, {"$set": {"name": "another"}})
    database.audit_logs.insert_one({"operation": "nothing else"})
    checkpoint(operator)
    database.audit_checkpoints.update_one({}, {"$set": {"at": "today"}})
    database.meta.update_one({"_id": AUDIT_KEY}, {"$set": {"mac": bytes(32)}})

    result, failed = operator.drill(operator.back_up())

    assert (False, 12, 12) == (result.success, result.failed, len(failed))
    for what in (
        f"secret {secret_id}: version 1: tampered",
        "secret folder folder/: tag: tampered",
        f"grant {grant_id}: tag: tampered",
        f"share {share_id}: tag: tampered",
        f"approle {role.role_id}: tag: tampered",
        f"secret id {accessor}: tag: tampered",
        "checkpoint 1: document: ",
        "meta audit_key: value: ",
    ):
        assert any(one.startswith(what) for one in failed), failed
    assert "vault_restore_drill_success 0.0\n" in client.get("/metrics").text


def test_a_backup_that_cannot_be_used_is_a_failed_drill(
    client: FlaskClient, operator: Operator, database: Database
) -> None:
    """The metric shows it."""
    ask(client, "create/", secret="YQ==", path="a")
    backup = operator.back_up()

    with pytest.raises(Tampered):
        operator.drill(backup[:-1])

    assert not set(STAGING_COLLECTIONS) & set(database.list_collection_names())
    assert "vault_restore_drill_success 0.0\n" in client.get("/metrics").text
    assert "vault_restore_drill_backup_timestamp" not in client.get("/metrics").text


def test_removes_what_a_killed_drill_left(
    client: FlaskClient, operator: Operator, database: Database
) -> None:
    """No forgotten copy of everything must stay."""
    ask(client, "create/", secret="YQ==", path="a")
    database["drill.secrets"].insert_one({"_id": "left over"})

    assert operator.drill(operator.back_up())[0].success
    assert not set(STAGING_COLLECTIONS) & set(database.list_collection_names())
