"""backup.create and backup.restore: a restore brings back one point in time completely, or nothing."""

import base64
import io
import itertools
import json
import os
import threading
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import bson
import pytest
from flask.testing import FlaskClient
from pymongo import MongoClient
from pymongo.database import Database

from service import readiness
from service.audit import anchors
from service.audit.findings import Anchors
from service.backup import archive
from service.backup.archive import Archive
from service.crypto.aead import key_id_of
from service.crypto.keyring import KeyRing
from service.dev.mongod import EmbeddedMongo
from service.errors import ConfigurationError, RestoreUnfinished, Tampered, UnknownKey
from service.store.backup_collections import STAGING_COLLECTIONS
from service.store.snapshot import Snapshot
from service.store.store import Store
from tests.api.kv.calls import Vault
from tests.approles.roles import make_role
from tests.audit.test_verify import Process
from tests.backup.backups import Operator, Watcher, chunks
from tests.calls import APPROLE, FOLDER, TOKEN, WHOAMI, ask, id_of, post
from tests.conftest import MASTER_KEY, OTHER_MASTER_KEY, make_ring
from tests.filling import fill

GRANT = "/vault/grant/"
OLD, NEW = (key_id_of(key).hex() for key in (MASTER_KEY, OTHER_MASTER_KEY))


@pytest.fixture
def operator(store: Store, ring: KeyRing, indexed: None) -> Operator:
    """The operator with the key of the database."""
    return Operator(store, ring, Watcher())


@pytest.fixture
def large(client: FlaskClient, operator: Operator) -> bytes:
    """A backup of more than three chunks."""
    for number in range(4):
        value = base64.b64encode(os.urandom(60_000)).decode()
        assert 200 == ask(client, "create/", secret=value, path=f"large/{number}").status_code
    return operator.back_up()


def content(database: Database) -> dict[str, Any]:
    """Return the documents of the collections that grow, by id."""
    return {
        name: {document["_id"]: document for document in database[name].find()}
        for name in ("secrets", "tokens", "grants", "shares", "approles", "approle_secret_ids", "audit_logs")
    }


def make_grant(client: FlaskClient) -> str:
    """Create a grant and return its id."""
    grant_id: str = post(client, GRANT + "create", {"services": ["x"], "paths": ["a"]}).json["grant_id"]
    return grant_id


def grant_ids(client: FlaskClient) -> list[str]:
    """Return the ids of the grants that are in force."""
    listed = post(client, GRANT + "list", {}).json
    assert [] == listed["altered"]
    return [grant["grant_id"] for grant in listed["grants"]]


def test_restores_everything(
    client: FlaskClient,
    guarded: FlaskClient,
    give: Callable[..., str],
    operator: Operator,
    mongo_client: MongoClient,
    database: Database,
) -> None:
    """All versions, deleted, destroyed and expired secrets, limits, tokens, grants, roles, the whole log.

    And options of folders, and secrets without a value.
    """
    token, auditor = give("fetch:*"), give("audit:team/*")
    role = make_role(guarded, give("admin"))
    secret_id, used_up = role.secret_id(), role.secret_id(max_uses=1)
    assert 200 == role.log_in(used_up).status_code
    grant_id = make_grant(client)
    for path in ("a", "deleted", "destroyed"):
        ask(client, "create/", secret="YQ==", path=path, labels={"env": "prod"})
    ask(client, "update", path="a", secret="Yg==")
    ask(client, "delete", path="deleted")
    ask(client, "destroy", path="destroyed")
    post(client, FOLDER + "configure", {"prefix": "folder/", "cas_required": True})
    Vault(client).put("secret/metadata/empty", {"custom_metadata": {"env": "prod"}})
    ask(client, "create/", secret="Yw==", path="twice", max_reads=2)
    ask(client, "fetch", path="twice")
    ask(client, "create/", secret="Yw==", path="over", expires_in=1)
    ask(client, "create/", secret="Yw==")
    time.sleep(0.05)
    backup, before = operator.back_up(), content(database)

    mongo_client.drop_database("vault")
    operator.store.reconcile_indexes(0)
    manifest = operator.restore(backup)

    after = content(database)
    over = before["secrets"].keys() - after["secrets"].keys()
    assert {"over"} >= {before["secrets"][one]["path"] for one in over}
    for one in over:
        del before["secrets"][one]
    assert before == after
    assert [2, 1] == [
        len(document["versions"])
        for document in sorted(
            (one for one in after["secrets"].values() if one.get("path") in ("a", "twice")),
            key=lambda one: one["path"],
        )
    ]
    assert len(before["audit_logs"]) == manifest.parts["audit_logs"].documents
    assert [grant_id] == grant_ids(client)
    assert post(client, FOLDER + "describe", {"prefix": "folder/"}).json["cas_required"]
    assert 400 == Vault(client).put("secret/data/folder/new", {"data": {}}).status_code
    described = ask(client, "describe", path="empty").json
    assert (0, {"env": "prod"}) == (described["version"], described["labels"])
    assert [200, 401] == [role.log_in(one).status_code for one in (secret_id, used_up)]
    assert "Yg==" == ask(client, "fetch", path="a").json["secret"]
    assert "YQ==" == ask(guarded, "fetch", token, path="a", version=1).json["secret"]
    assert 200 == post(guarded, "/vault/audit/search", {}, auditor).status_code
    assert 200 == ask(client, "fetch", path="twice").status_code
    assert "already read" in ask(client, "fetch", path="twice").json["detail"]
    assert not set(STAGING_COLLECTIONS) & set(database.list_collection_names())


def test_a_restore_brings_no_deleted_grant_back(client: FlaskClient, operator: Operator) -> None:
    """Like a revoked token; those that were made since stay."""
    kept, deleted = make_grant(client), make_grant(client)
    backup = operator.back_up()
    post(client, GRANT + "delete", {"grant_id": deleted})
    later = make_grant(client)

    operator.restore(backup, replace=True)

    assert sorted([kept, later]) == sorted(grant_ids(client))


def test_a_restore_brings_no_ended_role_or_secret_id_back(
    guarded: FlaskClient, give: Callable[..., str], operator: Operator
) -> None:
    """Nor a use that was taken."""
    admin = give("admin")
    role, deleted = make_role(guarded, admin), make_role(guarded, admin, name="deleted")
    kept, once, revoked, of_deleted = (
        role.secret_id(),
        role.secret_id(max_uses=1),
        role.secret_id(),
        deleted.secret_id(),
    )
    backup = operator.back_up()
    assert 200 == role.log_in(once).status_code
    post(guarded, APPROLE + "secret-id/revoke", {"accessor": id_of(revoked)}, admin)
    post(guarded, APPROLE + "delete", {"role": "deleted"}, admin)

    operator.restore(backup, replace=True)

    assert 200 == role.log_in(kept).status_code
    assert [401] * 3 == [
        one.log_in(text).status_code for one, text in ((role, once), (role, revoked), (deleted, of_deleted))
    ]


def test_the_log_of_a_lost_cluster_can_be_verified_in_the_new_one(
    store: Store, ring: KeyRing, operator: Operator, mongo_client: MongoClient
) -> None:
    """Each log has its own key; a rotation of the master key rewraps both."""
    gone = Process(store, ring)
    gone.write(3)
    saved = gone.checkpoint()
    gone.write(2)
    backup = operator.back_up()
    mongo_client.drop_database("vault")
    operator.store.reconcile_indexes(0)
    new = Process(store, ring)
    for _ in range(2):
        new.write(2)
        new.checkpoint()

    operator.restore(backup)

    report, findings = new.verify(saved)
    assert [] == findings
    assert (2, 1) == (report.chains, report.checkpoints)
    later = Process(store, ring)
    later.write(1)
    later.checkpoint()
    assert ([], 2) == (later.verify(saved)[1], later.verify(saved)[0].checkpoints)

    rotated = Process(store, make_ring(OTHER_MASTER_KEY, MASTER_KEY))
    assert rotated.log.key.rewrap()
    assert not rotated.log.key.rewrap()
    assert [] == Process(store, make_ring(OTHER_MASTER_KEY)).verify(saved)[1]


def test_a_process_that_ran_during_a_restore_continues_from_the_restored_checkpoints(
    store: Store, ring: KeyRing, operator: Operator, mongo_client: MongoClient
) -> None:
    """It has seen checkpoints that are gone, more of them than were restored."""
    gone = Process(store, ring)
    gone.write(1)
    gone.checkpoint()
    backup = operator.back_up()
    mongo_client.drop_database("vault")
    operator.store.reconcile_indexes(0)
    new = Process(store, ring)
    for _ in range(3):
        new.write(1)
        new.checkpoint()

    operator.restore(backup)
    new.write(1)
    new.checkpointer.end(5)

    report, findings = Process(store, ring).verify()
    assert ([], 2) == (findings, report.checkpoints)


def test_shows_one_point_in_time(operator: Operator, mongo_client: MongoClient, database: Database) -> None:
    """What was written in one transaction is in the backup together, whatever the timing."""
    operator.key_check.check()
    stop, written = threading.Event(), itertools.count()
    database.tokens.insert_one({"_id": "first"})
    database.secrets.insert_one({"_id": "first"})

    def pair(session: Any, number: int) -> None:
        # In the order in which a backup reads, so a backup without a fixed time would have only halves.
        database.secrets.insert_one({"_id": f"pair {number}", "filling": os.urandom(2000)}, session=session)
        database.tokens.insert_one({"_id": f"pair {number}"}, session=session)

    def write() -> None:
        with mongo_client.start_session() as session:
            while not stop.is_set():
                number = next(written)
                session.with_transaction(lambda inside, number=number: pair(inside, number))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while next(written) < 50:
            time.sleep(0.1)
        backups = []
        for _ in range(5):
            slowly = []
            for piece in operator.pieces():
                slowly.append(piece)
                time.sleep(0.02)
            backups.append(b"".join(slowly))
    finally:
        stop.set()
        writer.join()

    seen = [ids(operator.ring, backup) for backup in backups]
    assert all(found["secrets"] == found["tokens"] for found in seen)
    assert len(seen[0]["secrets"]) < len(seen[-1]["secrets"])


def ids(ring: KeyRing, backup: bytes) -> dict[str, set[str]]:
    """Return the ids in each collection of a backup."""
    found: dict[str, set[str]] = {}
    for name, documents in Archive(io.BytesIO(backup), ring).batches():
        found.setdefault(name, set()).update(one["_id"] for one in bson.decode_all(documents))
    return found


def altered(backup: bytes, how: str) -> bytes:
    """Return the backup, altered like this."""
    header, first, second, *rest = chunks(backup)
    match how:
        case "flipped":
            return header + first + bytes([second[0] ^ 1]) + second[1:] + b"".join(rest)
        case "flipped in the header":
            return backup[:60] + bytes([backup[60] ^ 1]) + backup[61:]
        case "cut":
            return backup[:-100]
        case "cut between chunks":
            return header + first + second
        case "swapped":
            return header + second + first + b"".join(rest)
        case "of another format":
            return backup.replace(b'{"backup": 4', b'{"backup": 5', 1)
        case "something else":
            return b"DB_PASSWORD=hunter2\n" * 10
    raise AssertionError


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("flipped", "altered or cut short after the first 65536 bytes"),
        ("flipped in the header", "its header was altered"),
        ("cut", "altered or cut short"),
        ("cut between chunks", "cut short after the first 131072 bytes"),
        ("swapped", "its header or its beginning was altered"),
        ("of another format", "a backup of format 5, and this version reads formats up to 4"),
        ("something else", "does not start with the header of a stream sealed under a key"),
    ],
)
def test_refuses_what_was_altered_and_touches_nothing(
    large: bytes, operator: Operator, mongo_client: MongoClient, database: Database, how: str, reason: str
) -> None:
    """With the reason, even if the altered part comes last."""
    before = content(database)

    for attempt in (operator.check, operator.drill, lambda backup: operator.restore(backup, replace=True)):
        with pytest.raises(Tampered, match=reason):
            attempt(altered(large, how))

    assert before == content(database)
    assert not set(STAGING_COLLECTIONS) & set(database.list_collection_names())
    operator.key_check.check()


def test_refuses_every_flipped_bit_of_the_header(client: FlaskClient, operator: Operator) -> None:
    """The header is authenticated as a whole, together with the first chunk."""
    ask(client, "create/", secret="YQ==", path="a")
    backup = operator.back_up()
    header, *_ = chunks(backup)

    for position in range(len(header) * 8):
        flipped = bytearray(backup)
        flipped[position // 8] ^= 1 << position % 8
        with pytest.raises((Tampered, UnknownKey)):
            list(Archive(io.BytesIO(bytes(flipped)), operator.ring).batches())


def test_refuses_without_its_key(large: bytes, store: Store) -> None:
    """The message has the key ids of both sides."""
    with pytest.raises(UnknownKey, match=f"{OLD}; the key ring holds {NEW}"):
        Operator(store, make_ring(OTHER_MASTER_KEY), Watcher()).restore(large, replace=True)


def test_refuses_without_a_key_that_something_in_it_is_under(
    client: FlaskClient, store: Store, operator: Operator, mongo_client: MongoClient, database: Database
) -> None:
    """The file's own key is under the new primary key, a secret still under the old one."""
    ask(client, "create/", secret="YQ==", path="a")
    backup = Operator(store, make_ring(OTHER_MASTER_KEY, MASTER_KEY), Watcher()).back_up()
    mongo_client.drop_database("vault")

    with pytest.raises(UnknownKey, match=f"in it are under master key {OLD}"):
        Operator(store, make_ring(OTHER_MASTER_KEY), Watcher()).restore(backup)

    assert 0 == database.secrets.count_documents({})
    assert not set(STAGING_COLLECTIONS) & set(database.list_collection_names())


def test_replaces_secrets_only_if_asked(
    client: FlaskClient,
    guarded: FlaskClient,
    give: Callable[..., str],
    operator: Operator,
    database: Database,
) -> None:
    """If asked, secrets become as they were; no revocation is undone, and no record is lost."""
    ask(client, "create/", secret="YQ==", path="a")
    token = give("fetch:*", "token")
    backup = operator.back_up()
    ask(client, "update", path="a", secret="Yg==")
    ask(client, "create/", secret="Yg==", path="later")
    post(client, f"{TOKEN}revoke", {"token_id": id_of(token)})
    later = give("fetch:*")
    records = set(database.audit_logs.distinct("_id"))

    with pytest.raises(ConfigurationError, match="say --replace"):
        operator.restore(backup)
    assert "Yg==" == ask(client, "fetch", path="a").json["secret"]
    operator.restore(backup, replace=True)

    assert "YQ==" == ask(client, "fetch", path="a").json["secret"]
    assert 404 == ask(client, "fetch", path="later").status_code
    assert [401, 200] == [post(guarded, WHOAMI, {}, one).status_code for one in (token, later)]
    assert records < set(database.audit_logs.distinct("_id"))


def test_counts_of_wraps_never_fall(
    client: FlaskClient, operator: Operator, mongo_client: MongoClient
) -> None:
    """Those of the new cluster and of the backup are added."""
    ask(client, "create/", secret="YQ==", path="a")
    backup, before = operator.back_up(), operator.store.keys.registered()[OLD]
    mongo_client.drop_database("vault")
    operator.store.keys.reserve(OLD, 7)

    operator.restore(backup)

    assert before + 7 == operator.store.keys.registered()[OLD]


def test_serves_nothing_while_a_restore_is_unfinished(
    make_client: Callable[..., FlaskClient],
    client: FlaskClient,
    operator: Operator,
    mongo_client: MongoClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """/readyz reports an interrupted restore, and running it again finishes it."""
    monkeypatch.setattr(readiness, "_VALID_SECONDS", 0)
    ask(client, "create/", secret="YQ==", path="a")
    backup = operator.back_up()
    mongo_client.drop_database("vault")

    class Killed(Watcher):
        def add(self, doing: str, count: int) -> None:
            if doing == "restoring":
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Operator(operator.store, operator.ring, Killed()).restore(backup)
    started = make_client()
    answer = started.get("/readyz")
    assert (503, True) == (
        answer.status_code,
        "a restore has been running since" in answer.json["checks"]["keys"],
    )
    assert 503 == ask(started, "fetch", path="a").status_code
    with pytest.raises(RestoreUnfinished):
        operator.back_up()

    operator.restore(backup)

    assert 200 == started.get("/readyz").status_code
    assert "YQ==" == ask(started, "fetch", path="a").json["secret"]


def test_memory_does_not_grow_with_the_secrets(operator: Operator, ring: KeyRing, database: Database) -> None:
    """Neither in a backup nor in a drill."""
    peaks = []
    for count in (3000, 9000):
        database.secrets.delete_many({})
        fill(database, ring, count, bytes(512))
        backup = operator.back_up()
        peak = []
        for work in (lambda: sum(map(len, operator.pieces())), lambda: operator.drill(backup)):  # noqa: B023
            tracemalloc.start()
            work()
            peak.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        peaks.append(peak)

    assert all(more < 1.5 * less for less, more in zip(*peaks, strict=True)), peaks


def test_nothing_in_it_can_be_read(client: FlaskClient, give: Callable[..., str], operator: Operator) -> None:
    """Not even what the database has in plain text."""
    value = base64.b64encode(b"plain-canary").decode()
    ask(client, "create/", secret=value, path="team/canary-path", labels={"env": "canary-label"})
    token = give("fetch:team/*")

    backup = operator.back_up()

    for readable in (
        b"plain-canary",
        value.encode(),
        b"canary-path",
        b"canary-label",
        token.encode(),
        b"secrets",
    ):
        assert readable not in backup


def test_fails_if_it_took_too_long(own_mongo: EmbeddedMongo, ring: KeyRing) -> None:
    """MongoDB keeps a snapshot for a limited time; a backup never mixes two points in time."""
    store = Store(own_mongo.uri, 10)
    with MongoClient(own_mongo.uri) as client:
        store.reconcile_indexes(0)
        fill(client["vault"], ring, 3000)
        with store.snapshot() as snapshot:
            next(snapshot.batches())
            client.admin.command("setParameter", 1, minSnapshotHistoryWindowInSeconds=0)
            with pytest.raises(ConfigurationError, match="minSnapshotHistoryWindowInSeconds"):
                read_until_forgotten(client["vault"], snapshot)
    store.close()


def read_until_forgotten(database: Database, snapshot: Snapshot) -> None:
    """Read the same repeatedly, while other writes let the database's time advance."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        database.meta.update_one({"_id": "tick"}, {"$inc": {"ticks": 1}}, upsert=True)
        list(snapshot.batches())
        time.sleep(0.5)


def test_the_manifest_has_the_newest_checkpoint(
    store: Store, ring: KeyRing, operator: Operator, database: Database
) -> None:
    """It shows that the log was put back since; a made-up one is left out."""
    process = Process(store, ring)
    process.write(3)
    before = {name: list(database[name].find()) for name in ("audit_logs", "audit_checkpoints")}
    process.write(3)
    newest = process.checkpoint()
    manifest = operator.check(operator.back_up())
    assert newest == manifest.checkpoint
    for name, documents in before.items():
        database[name].delete_many({})
        database[name].insert_many([*documents, {"_id": 7}])

    report, findings = Process(store, ring).verify(newest)

    assert "only the saved copy exists" in {finding.detail for finding in findings}
    assert not report.valid
    assert None is operator.check(operator.back_up()).checkpoint


@pytest.mark.parametrize("number", [1, 2, 3])
def test_reads_backups_of_the_formats_before(
    client: FlaskClient, operator: Operator, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Those have no AppRoles, the first two no grants, and the manifest of the first has no checkpoint."""
    ask(client, "create/", secret="YQ==", path="a")
    made = Archive(io.BytesIO(operator.back_up()), operator.ring)
    frames = [archive.documents_frame(*batch) for batch in made.batches()]
    fields = asdict(made.manifest) | {"format": number}
    if number == 1:
        del fields["checkpoint"]
    manifest = json.dumps(fields).encode()
    frames.append(b"m" + len(manifest).to_bytes(4) + manifest)
    monkeypatch.setattr(archive, "FORMAT", number)
    before = b"".join(archive.seal(frames, made.backup_id, operator.ring))

    assert operator.drill(before)[0].success
    assert None is operator.restore(before, replace=True).checkpoint
    assert "YQ==" == ask(client, "fetch", path="a").json["secret"]


def test_a_restore_of_another_log_accepts_it(
    store: Store, ring: KeyRing, operator: Operator, mongo_client: MongoClient, tmp_path: Path
) -> None:
    """The nodes' anchors are of the log that was lost, and it went further than the backup."""
    gone = Process(store, ring, anchor_dir=tmp_path)
    gone.write(1)
    gone.checkpoint()
    backup = operator.back_up()
    gone.write(1)
    gone.checkpoint()
    anchors.follow(gone.log)
    mongo_client.drop_database("vault")
    operator.store.reconcile_indexes(0)
    new = Process(store, ring, anchor_dir=tmp_path)
    new.write(1)
    assert "is of another audit log" in (anchors.state(new.log) or "")

    operator.restore(backup)

    new = Process(store, ring, anchor_dir=tmp_path)
    assert ("", True) == (anchors.state(new.log), new.verify()[0].valid)
    new.write(1)
    new.checkpoint()
    anchors.follow(new.log)
    assert [Anchors("volume", 2, 1)] == new.verify()[0].anchors


def test_a_restore_of_the_same_log_accepts_nothing(
    store: Store, ring: KeyRing, operator: Operator, tmp_path: Path, database: Database
) -> None:
    """It only adds to the log, so nobody has to accept anything: not what somebody else put back either."""
    process = Process(store, ring, anchor_dir=tmp_path)
    process.write(1)
    process.checkpoint()
    backup = operator.back_up()
    process.write(1)
    process.checkpoint()
    anchors.follow(process.log)
    database.audit_checkpoints.delete_one({"_id": 2})

    operator.restore(backup, replace=True)

    assert "is no longer in the database" in (anchors.state(process.log) or "")
