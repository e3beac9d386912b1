"""audit.anchors: a log that was put back does not continue the checkpoint that a node keeps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from service.audit import anchors, checkpoints
from service.audit.anchor_file import AnchorFile
from service.audit.background import CheckpointThread
from service.audit.findings import Anchors
from service.crypto.keyring import KeyRing
from service.errors import ConfigurationError, Tampered
from service.store.checkpoints import META
from service.store.store import Store
from tests.audit.test_verify import Process

LOG = ("audit_logs", "audit_checkpoints", "audit_writers")


@pytest.fixture
def start(store: Store, ring: KeyRing, tmp_path: Path) -> Callable[[], Process]:
    """Start a process of a node that keeps its anchor in ``tmp_path``."""
    return lambda: Process(store, ring, anchor_dir=tmp_path)


@contextmanager
def put_back(database: Database) -> Iterator[None]:
    """Do something, and then put everything in the database back as it was before."""
    before = {name: list(database[name].find()) for name in (*LOG, META)}
    yield
    for name, documents in before.items():
        database[name].delete_many({})
        if documents:
            database[name].insert_many(documents)


def live(start: Callable[[], Process], reads: int) -> None:
    """Let a process read so many secrets, end, and so leave the node's anchor behind."""
    process = start()
    process.write(reads)
    process.checkpointer.end(5)
    anchors.follow(process.log)


def test_a_log_that_was_put_back_over_a_restart_is_found(
    start: Callable[[], Process], database: Database
) -> None:
    """At the start, and by a verification, until somebody accepts it; what comes later changes nothing."""
    live(start, 5)
    with put_back(database):
        live(start, 20)

    assert "is no longer in the database" in (anchors.state(start().log) or "")
    report, findings = start().verify()
    assert [Anchors("volume", 2, 1)] == report.anchors
    # The whole chain of the process that read them, and the checkpoint that covers it.
    assert {"missing"} == set(report.found)
    assert any("22 record(s) missing" in finding.detail for finding in findings)

    for _ in range(3):
        live(start, 1)

    assert "differs from the one in the database" in (anchors.state(start().log) or "")
    assert not start().verify()[0].valid


def test_a_new_node_has_its_anchor_at_once(start: Callable[[], Process], tmp_path: Path) -> None:
    """A verification in its first minute has something to compare the log with."""
    live(start, 1)
    (tmp_path / "checkpoint.json").unlink()
    process = start()
    thread = CheckpointThread(process.log, process.checkpointer, 5)
    thread.start()
    end = time.monotonic() + 10
    while not (tmp_path / "checkpoint.json").exists() and time.monotonic() < end:
        time.sleep(0.05)

    assert [Anchors("volume", 1, 1)] == start().verify()[0].anchors
    thread.stop()


def test_an_accepted_log_continues(start: Callable[[], Process], database: Database) -> None:
    """The anchor follows it from then on, and finds the next one that is put back."""
    live(start, 5)
    with put_back(database):
        live(start, 20)

    anchors.accept(start().log)

    assert "" == anchors.state(start().log)
    report, _ = start().verify()
    assert (True, []) == (report.valid, report.anchors)
    with put_back(database):
        live(start, 1)
        assert start().verify()[0].valid
    # The acceptance was put back as well.
    assert not start().verify()[0].valid
    assert "is no longer" in (anchors.state(start().log) or "")


@pytest.mark.parametrize("change", [{"at": 1}, {"mac": bytes(32)}, {"later": True}])
def test_an_acceptance_cannot_be_forged(
    start: Callable[[], Process], database: Database, change: dict[str, Any]
) -> None:
    """Nor be moved to a later time: without the audit key, it does not count."""
    live(start, 5)
    anchors.accept(start().log)
    with put_back(database):
        live(start, 20)
    if "later" in change:
        change = {"at": start().log.clock() + timedelta(days=1)}

    database[META].update_one({"_id": "audit_acceptance"}, {"$set": change})

    assert not start().verify()[0].valid
    assert anchors.state(start().log)


def test_another_audit_key_makes_no_anchor_forgotten(
    start: Callable[[], Process], database: Database
) -> None:
    """Somebody removes the whole log and its key, so that the service begins another."""
    live(start, 5)
    for name in (*LOG, META):
        database[name].delete_many({})

    live(start, 7)

    assert "is of another audit log" in (anchors.state(start().log) or "")
    report, (finding,) = start().verify()
    assert (False, "saved checkpoint 1") == (report.valid, finding.first)


def test_a_node_without_an_anchor_says_so(store: Store, ring: KeyRing, database: Database) -> None:
    """There, a log that was put back is found fine."""

    def start() -> Process:
        return Process(store, ring)

    live(start, 5)
    with put_back(database):
        live(start, 20)

    report, _ = start().verify()

    assert (True, [], None) == (report.valid, report.anchors, anchors.state(start().log))


def test_both_copies_of_a_number_are_compared(start: Callable[[], Process], database: Database) -> None:
    """One given by the caller does not hide the one that the node keeps."""
    live(start, 5)
    with put_back(database):
        live(start, 20)
    live(start, 1)
    newest = anchors.newest_checkpoint(start().log)
    assert newest is not None
    assert (anchor := start().log.anchor) is not None
    assert (kept := anchor.read()) is not None
    assert (2, 2) == (kept.number, newest.number)

    report, _ = start().verify(checkpoints.to_json(newest))

    assert [Anchors("volume", 2, 1), Anchors("given", 2, 1)] == report.anchors
    assert 1 == report.found["altered"]


def test_an_older_checkpoint_never_replaces_a_newer_one(start: Callable[[], Process], tmp_path: Path) -> None:
    """Two processes of a node read the log at different times."""
    live(start, 1)
    older = start().log.anchor
    assert older is not None
    first = older.read()
    live(start, 1)
    second = older.read()
    assert first is not None
    assert second is not None

    older.replace(None, first)
    older.replace(first, first)

    assert second == AnchorFile(tmp_path).read()
    assert ["checkpoint.json"] == [path.name for path in tmp_path.iterdir()]


def test_a_file_that_is_no_checkpoint_is_a_finding(start: Callable[[], Process], tmp_path: Path) -> None:
    """It is not replaced: somebody has to look."""
    live(start, 1)
    (tmp_path / "checkpoint.json").write_text("{}\n")

    report, (finding,) = start().verify()

    assert (False, "anchor") == (report.valid, finding.first)
    assert "does not hold a checkpoint" in (anchors.state(start().log) or "")
    with pytest.raises(Tampered):
        anchors.follow(start().log)


def test_a_folder_that_is_gone_is_an_error(start: Callable[[], Process], tmp_path: Path) -> None:
    """The thread logs it, and the metric shows it."""
    process = start()
    process.write(1)
    process.checkpoint()
    tmp_path.rmdir()

    with pytest.raises(ConfigurationError, match="AUDIT_ANCHOR_DIR: cannot write in"):
        anchors.follow(process.log)
    assert "cannot be written" in (anchors.state(process.log) or "")
