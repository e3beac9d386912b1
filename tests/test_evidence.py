"""The audit log of real processes: the workers' chains, a killed worker, checkpoints in the service's log."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from tests.commands.operator import operate
from tests.gunicorn_server import Server


def verified(
    environment: dict[str, str], *arguments: str, stdin: bytes = b""
) -> tuple[int, list[dict[str, Any]]]:
    """Return the exit code and the lines of ``audit verify``."""
    finished = operate(environment, "audit", "verify", *arguments, stdin=stdin)
    return finished.returncode, [json.loads(line) for line in finished.stdout.splitlines()]


@pytest.mark.timeout(240)
def test_the_chains_of_all_workers_are_complete(
    serve: Callable[..., Server], environment: dict[str, str], database: Database
) -> None:
    """One is killed under load: another closes its chain; the others close their own when they stop."""
    short = {"AUDIT_CHECKPOINT_SECONDS": "1"}
    server = serve(**short)
    server.wait_until()
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(server.create) for _ in range(120)]
        answers[40].exception()
        os.kill(server.workers()[0], signal.SIGKILL)
        acknowledged = sum(
            answer.exception() is None and answer.result().status_code == 200 for answer in answers
        )
    server.wait_until()
    killed = {"operation": "chain_close", "reason": "writer gone"}
    end = time.monotonic() + 60
    while not database.audit_logs.count_documents(killed) and time.monotonic() < end:
        server.create()
        time.sleep(0.5)
    assert 1 == database.audit_logs.count_documents(killed)
    server.stop()

    code, (report,) = verified(environment | short)

    assert (0, True, 0) == (code, report["fine"], report["open"])
    assert report["records"] >= acknowledged + 6
    # Two workers and the replacement of the killed one.
    assert report["chains"] == 3
    assert 0 == database.audit_writers.count_documents({})

    lines = [line for line in server.log_lines() if line["message"] == "audit checkpoint"]
    assert [line["checkpoint"]["number"] for line in lines] == [
        found["_id"] for found in database.audit_checkpoints.find({"_id": {"$lte": len(lines)}}).sort("_id")
    ]
    _truncate(database)
    code, (*_, report) = verified(
        environment | short, "--checkpoint", "-", stdin=_with_orchestrator_prefix(server.log)
    )
    assert (1, False) == (code, report["fine"])
    assert {"gap at the end of a chain", "missing"} >= report["found"].keys()


def _truncate(database: Database) -> None:
    """Remove the last records and all checkpoints, like an attacker with access to the database."""
    last = database.audit_logs.find({"operation": "create"}, {"_id": True}).sort("timestamp", -1).limit(1)[0]
    database.audit_logs.delete_many({"_id": {"$gte": last["_id"], "$lt": last["_id"][:24] + ";"}})
    database.audit_checkpoints.delete_many({})


def _with_orchestrator_prefix(log: Path) -> bytes:
    return b"".join(
        b"secret-manager_api.1.x@node | " + line for line in log.read_bytes().splitlines(keepends=True)
    )


def test_metrics_show_the_size_of_the_log(serve: Callable[..., Server]) -> None:
    """And the time of the newest checkpoint."""
    server = serve(AUDIT_CHECKPOINT_SECONDS="1")
    server.wait_until()
    server.create()

    end = time.monotonic() + 30
    while time.monotonic() < end:
        text = server.wait_until("/metrics").text
        if "vault_audit_checkpoint_timestamp_seconds 1" in text:
            break
        time.sleep(0.5)

    values = dict(line.split() for line in text.splitlines() if line.startswith("vault_audit_"))
    assert float(values["vault_audit_records"]) >= 2
    assert float(values["vault_audit_bytes"]) > 1000
    assert abs(float(values["vault_audit_checkpoint_timestamp_seconds"]) - time.time()) < 60


def test_a_log_that_was_put_back_over_a_restart(
    serve: Callable[..., Server], environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    """The node's anchor shows it; without one, the verification says that it had none."""
    anchored = {"AUDIT_CHECKPOINT_SECONDS": "1", "AUDIT_ANCHOR_DIR": str(tmp_path)}
    server = serve(**anchored)
    secret_id = server.wait_until() and server.create().json()["secret_id"]
    server.stop()
    log = ("audit_logs", "audit_checkpoints", "audit_writers")
    before = {name: list(database[name].find()) for name in log}
    server = serve(**anchored)
    server.wait_until()
    assert {200} == {server.fetch(secret_id).status_code for _ in range(20)}
    server.stop()
    for name, documents in before.items():
        database[name].delete_many({})
        database[name].insert_many([*documents, {"_id": "none"}])
        database[name].delete_one({"_id": "none"})

    code, (report,) = verified(environment)
    assert (0, True, []) == (code, report["fine"], report["anchors"])
    code, (*findings, report) = verified(environment | anchored)

    assert (1, False, "volume") == (code, report["fine"], report["anchors"][0]["kind"])
    assert sum(int(found["detail"].split()[0]) for found in findings if "record(s)" in found["detail"]) >= 20

    # It serves all the same, and says so.
    server = serve(**anchored)
    server.wait_until()
    assert "vault_audit_anchor_intact 0.0\n" in server.wait_until("/metrics").text
    answer = server.post("/vault/audit/verify", {}).json()
    assert (False, ["volume"]) == (answer["fine"], [anchor["kind"] for anchor in answer["anchors"]])
    (warning,) = [line for line in server.log_lines() if "does not continue its anchor" in line["message"]]
    assert "warning" == warning["level"]

    accepted = operate(environment | anchored, "audit", "accept-rollback")
    assert (0, {"accepted_until"}) == (accepted.returncode, json.loads(accepted.stdout).keys())
    server.create()
    server.stop()
    code, (report,) = verified(environment | anchored)
    assert (0, "volume") == (code, report["anchors"][0]["kind"])
    assert 1 == database.audit_logs.count_documents({"operation": "audit_accept_rollback"})


def test_metrics_show_how_far_the_checkpoints_go(serve: Callable[..., Server], tmp_path: Path) -> None:
    """On every replica and over a restart; the numbers only grow."""
    anchored = {"AUDIT_CHECKPOINT_SECONDS": "1", "AUDIT_ANCHOR_DIR": str(tmp_path)}
    seen = []
    for _ in range(2):
        server = serve(**anchored)
        server.wait_until()
        server.create()
        end = time.monotonic() + 30
        while not (tmp_path / "checkpoint.json").exists() and time.monotonic() < end:
            time.sleep(0.2)
        shown = dict(line.rsplit(" ", 1) for line in server.wait_until("/metrics").text.splitlines())
        assert "1.0" == shown["vault_audit_anchor_intact"]
        seen.append([float(shown[f"vault_audit_checkpoint_{what}"]) for what in ("number", "records")])
        server.stop()

    assert seen[0][0] >= 1
    assert seen[0][1] >= 2
    assert seen[0] < seen[1]
    assert seen[0][1] < seen[1][1]
