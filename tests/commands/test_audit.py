"""commands.audit: what an operator reads."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database

from tests.commands.test_indexes import run


def test_prints_the_newest_records_oldest_first(
    environment: dict[str, str], make_client: Callable[..., FlaskClient]
) -> None:
    """One JSON object per line, with every field of the record."""
    client = make_client()
    secret_id = client.post("/vault/secret/create/", json={"secret": "aGVsbG8="}).json["secret_id"]
    for request_id in ("first", "second"):
        client.post(
            "/vault/secret/fetch", json={"secret_id": secret_id}, headers={"X-Request-ID": request_id}
        )

    finished = run(environment, "audit", "--last", "2")

    records = [json.loads(line) for line in finished.stdout.splitlines()]
    assert ["first", "second"] == [record["request_id"] for record in records]
    assert {
        "timestamp": records[1]["timestamp"],
        "operation": "fetch",
        "secret_id": secret_id,
        "client_ip": "127.0.0.1",
        "status": "success",
        "actor": "anonymous",
        "request_id": "second",
        "reason": None,
        "path": None,
        "token_id": None,
        "new_path": None,
        "count": None,
        "grant_id": None,
        "version": None,
        "service": None,
        "service_id": None,
        "task_id": None,
        "node_id": None,
        "docker_secret": None,
        "api": None,
        "role_id": None,
        "accessor": None,
    } == records[1]
    assert records[0]["timestamp"] < records[1]["timestamp"]


def test_prints_those_of_one_secret(
    environment: dict[str, str], make_client: Callable[..., FlaskClient]
) -> None:
    """And nothing for a secret that has no records."""
    client = make_client()
    matching, other = (
        client.post("/vault/secret/create/", json={"secret": "aGVsbG8="}).json["secret_id"] for _ in range(2)
    )

    printed = run(environment, "audit", "--secret-id", matching).stdout

    assert (True, False) == (matching in printed, other in printed)
    assert (0, "") == (
        (nothing := run(environment, "audit", "--secret-id", "nobody")).returncode,
        nothing.stdout,
    )


def test_says_in_one_line_why_it_cannot(environment: dict[str, str], database: Database) -> None:
    """No traceback, and no connection string."""
    finished = run(
        environment,
        "audit",
        MONGO_URI="mongodb://user:hunter2@127.0.0.1:1/?replicaSet=x",
        STARTUP_TIMEOUT_SECONDS="1",
    )

    assert (2, False) == (finished.returncode, "hunter2" in finished.stderr)
    assert finished.stderr.splitlines()[-1].startswith("secret-manager: MongoDB was not reachable")


@pytest.mark.parametrize("subcommand", ["verify", "accept-rollback"])
def test_a_log_whose_key_was_altered_is_told_in_one_line(
    environment: dict[str, str],
    make_client: Callable[..., FlaskClient],
    database: Database,
    subcommand: str,
) -> None:
    """With auditing off no record fails before the command itself does."""
    make_client().post("/vault/secret/create/", json={"secret": "aGVsbG8="})
    database.meta.update_one({"_id": "audit_key"}, {"$set": {"mac": b"altered"}})

    refused = run({**environment, "AUDIT_ENABLED": "false"}, "audit", subcommand)

    assert (2, "") == (refused.returncode, refused.stdout)
    assert "secret-manager: the document of the audit key was altered\n" == refused.stderr


def test_verify_reports_by_line_and_by_exit_code(
    environment: dict[str, str], make_client: Callable[..., FlaskClient], database: Database
) -> None:
    """The summary comes last; a file without checkpoints is refused."""
    make_client().post("/vault/secret/create/", json={"secret": "aGVsbG8="})
    unchanged = run(environment, "audit", "verify")
    assert (0, 1) == (
        unchanged.returncode,
        unchanged.stderr.count("compared with nothing outside the database"),
    )
    database.audit_logs.update_one({"operation": "create"}, {"$set": {"client_ip": "192.0.2.9"}})

    finished = run(environment, "audit", "verify")

    finding, report = map(json.loads, finished.stdout.splitlines())
    assert (1, "altered", {"altered": 1}) == (finished.returncode, finding["kind"], report["found"])
    assert ["success", "failure"] == [
        # Not by id: two processes of the same second have no order in theirs.
        record["status"]
        for record in database.audit_logs.find({"operation": "audit_verify"}).sort("timestamp")
    ]
    assert 2 == run(environment, "audit", "verify", "--checkpoint", "README.md").returncode


def test_exports_for_other_tools(
    environment: dict[str, str], make_client: Callable[..., FlaskClient], database: Database
) -> None:
    """With the proof of each record, or with the names of OCSF."""
    make_client().post("/vault/secret/create/", json={"secret": "aGVsbG8=", "path": "a"})

    lines = [json.loads(line) for line in run(environment, "audit", "export").stdout.splitlines()]
    (created,) = [line for line in lines if line["operation"] == "create"]
    events = map(json.loads, run(environment, "audit", "export", "--format", "ocsf").stdout.splitlines())
    (event,) = [event for event in events if event["api"]["operation"] == "create"]

    stored = database.audit_logs.find_one({"operation": "create"})
    assert (stored["_id"], stored["mac"].hex(), "a") == (
        created["record_id"],
        created["mac"],
        created["path"],
    )
    assert (6003, 600301, 1, created["record_id"], "127.0.0.1") == (
        event["class_uid"],
        event["type_uid"],
        event["status_id"],
        event["metadata"]["uid"],
        event["src_endpoint"]["ip"],
    )
    assert [{"type": "secret", "uid": created["secret_id"], "name": "a"}] == event["resources"]
    assert "" == run(environment, "audit", "export", "--until", "2026-01-01").stdout
    assert 2 == database.audit_logs.count_documents({"operation": "audit_export", "actor": "operator"}) - 1


def test_exports_as_syslog(
    environment: dict[str, str], make_client: Callable[..., FlaskClient], database: Database
) -> None:
    """One message per record; a line break that was written into the database does not start another one."""
    client = make_client()
    client.post("/vault/secret/create/", json={"secret": "aGVsbG8=", "path": "a"})
    client.post("/vault/secret/fetch", json={"path": "b"})
    database.audit_logs.update_one({"operation": "create"}, {"$set": {"actor": "x\n<106>1 - - - - - -"}})
    database.audit_logs.update_one({"operation": "fetch"}, {"$set": {"operation": "x\n<106>1"}})

    found = run(environment, "audit", "export", "--format", "syslog").stdout.splitlines()
    messages = [line.split(" ", 7) for line in found]

    # The end of the chain of the export itself was written after it.
    assert len(messages) == database.audit_logs.count_documents({}) - 1
    (created,) = [message for message in messages if message[5] == "create"]
    (failed,) = [message for message in messages if message[0] == "<108>1"]
    event = json.loads(created[7])
    assert ["<110>1", "-", "secret-manager", "-", "create", "-"] == [created[0], *created[2:7]]
    assert event["time"] == datetime.fromisoformat(created[1]).timestamp() * 1000
    assert "a" == event["resources"][0]["name"]
    assert "-" == failed[5]


@pytest.mark.parametrize("form", ["jsonl", "ocsf", "syslog"])
@pytest.mark.parametrize(
    "change",
    [{"$unset": {"timestamp": True, "actor": True}}, {"$set": {"timestamp": "x", "operation": {"a": b"b"}}}],
)
def test_exports_altered_records(
    environment: dict[str, str],
    make_client: Callable[..., FlaskClient],
    database: Database,
    form: str,
    change: dict[str, dict[str, Any]],
) -> None:
    """An altered record is for `verify` to find; the export still prints all records."""
    make_client().post("/vault/secret/create/", json={"secret": "aGVsbG8="})
    database.audit_logs.update_one({"operation": "create"}, change)

    exported = run(environment, "audit", "export", "--format", form).stdout

    assert len(exported.splitlines()) == database.audit_logs.count_documents({}) - 1
    assert "1970-01-01" in exported or '"time": 0' in exported
