"""api.status.views: auditors and administrators see the state of the service at a glance."""

import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from flask.testing import FlaskClient
from pymongo.database import Database

from service import __version__
from service.crypto.aead import key_id_of
from tests.calls import CREATE, post
from tests.conftest import MASTER_KEY
from tests.gunicorn_server import Server

STATUS = "/vault/status"
OWN = socket.gethostname()


def test_shows_the_service_at_a_glance(client: FlaskClient, database: Database) -> None:
    """Nothing was ever backed up; the replica that answers is alive, whatever it has written."""
    answer = post(client, STATUS, {}).json

    (replica,) = answer.pop("replicas")
    assert (OWN, __version__) == (replica["replica"], replica["version"])
    assert timedelta(0) <= datetime.now(UTC) - datetime.fromisoformat(replica["last_seen"]) < timedelta(60)
    assert {
        "version": __version__,
        "replica": OWN,
        "authentication": False,
        "tls": False,
        "audit": True,
        "checks": {"database": "ok", "keys": "ok", "audit": "ok"},
        "last_backup": None,
        "last_drill": None,
        "keys": [{"key_id": key_id_of(MASTER_KEY).hex(), "primary": True, "wraps": 0}],
    } == {name: answer[name] for name in answer if name not in ("warnings", "audit_records", "audit_bytes")}
    assert ["authentication is off", "TLS is off"] == [text.partition(":")[0] for text in answer["warnings"]]


def test_counts_wraps_and_records(client: FlaskClient, database: Database) -> None:
    """Wraps in blocks, as they are reserved; records as the collection counts them."""
    post(client, CREATE, {"secret": "YQ=="})
    post(client, CREATE, {"secret": "YQ=="})
    written = database.audit_logs.count_documents({})

    answer = post(client, STATUS, {}).json

    assert written == answer["audit_records"]
    assert 0 < answer["audit_bytes"]
    assert 1024 == answer["keys"][0]["wraps"]


def test_is_for_auditors_and_administrators(
    guarded: FlaskClient, give: Callable[..., str], database: Database
) -> None:
    """Others are refused, which is recorded."""
    tokens = [give("audit"), give("admin"), give("fetch:*", "token", "share"), None]

    assert [200, 200, 403, 401] == [post(guarded, STATUS, {}, token).status_code for token in tokens]
    assert [2, 2] == [
        database.audit_logs.count_documents({"operation": "status", "status": status})
        for status in ("success", "failure")
    ]
    assert post(guarded, STATUS, {}, tokens[0]).json["authentication"]


def test_shows_the_newest_backup_and_drill(client: FlaskClient, database: Database) -> None:
    """Also one that failed; and whether the service wrote that at all."""
    at = datetime(2026, 1, 31, tzinfo=UTC)
    record = {"secret_id": None, "client_ip": "127.0.0.1", "actor": "operator", "request_id": "x"}
    database.audit_logs.insert_many(
        [
            {**record, "operation": operation, "timestamp": at + timedelta(days), "status": status} | reason
            for operation, days, status, reason in (
                ("backup_create", 1, "failure", {"reason": "Disk full"}),
                ("backup_create", 0, "success", {"reason": None}),
                ("backup_drill", 2, "success", {"reason": None}),
            )
        ]
    )

    answer = post(client, STATUS, {}).json

    assert {
        "at": "2026-02-01T00:00:00+00:00",
        "status": "failure",
        "reason": "Disk full",
        "authentic": False,
    } == answer["last_backup"]
    assert ("2026-02-02T00:00:00+00:00", "success") == (
        answer["last_drill"]["at"],
        answer["last_drill"]["status"],
    )


def test_shows_the_replicas_that_live(client: FlaskClient, database: Database) -> None:
    """One for each host; those of an earlier version have no name, and odd documents stop nothing."""
    at = datetime.now(UTC)
    database.audit_writers.insert_many(
        [
            {"_id": "a1", "seen_at": at - timedelta(seconds=9), "host": "a", "version": "0.9"},
            {"_id": "a2", "seen_at": at, "host": "a", "version": __version__},
            {"_id": "b1", "seen_at": at - timedelta(hours=1), "host": "b", "version": __version__},
            {"_id": "c1", "seen_at": at},
            {"_id": "d1", "seen_at": at, "host": ["d"], "version": 7},
            {"_id": "e1", "seen_at": "now", "host": "e"},
        ]
    )

    replicas = post(client, STATUS, {}).json["replicas"]

    assert sorted([("", None), ("a", __version__), (OWN, __version__)]) == [
        (replica["replica"] or "", replica["version"]) for replica in replicas
    ]


def test_processes_say_where_they_run(serve: Callable[..., Server], database: Database) -> None:
    """From their first record on, once in each interval."""
    server = serve(AUDIT_CHECKPOINT_SECONDS="1")
    server.wait_until()
    server.create()

    end = time.monotonic() + 30
    while not (found := database.audit_writers.find_one()) and time.monotonic() < end:
        time.sleep(0.1)

    assert found is not None
    assert (OWN, __version__) == (found["host"], found["version"])
    (replica,) = server.post(STATUS, {}).json()["replicas"]
    assert (OWN, __version__) == (replica["replica"], replica["version"])
