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
