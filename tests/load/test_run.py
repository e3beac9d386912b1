"""load.run: what a client experiences, with a real gunicorn and a real mongod."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.dev.mongod import EmbeddedMongo
from tests.certificates import Authority
from tests.commands.operator import operate
from tests.conftest import IMPATIENT, variables
from tests.gunicorn_server import Server, free_port
from tests.load.conftest import load, wait_for
from tests.load.journal import Kind, Operation, Result, read

CREATED = ('"op":"create"', '"result":"ok"')

StartLoad = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def servers(own_mongo: EmbeddedMongo, tmp_path: Path) -> Iterator[list[Server]]:
    """Two replicas on a mongod that this test may kill."""
    servers = [Server(variables(own_mongo) | IMPATIENT, tmp_path / f"log-{number}") for number in range(2)]
    for server in servers:
        server.wait_until()
    yield servers
    for server in servers:
        server.stop()


def dead_url() -> str:
    """Return an address at which nothing listens."""
    return f"http://127.0.0.1:{free_port()}"


def run_to_its_end(journal: Path, *arguments: str) -> list[Operation]:
    """Return the operations of a ``run`` that ended by itself."""
    finished = load("run", "--journal", journal, "--clients", "2", *arguments)
    assert 0 == finished.returncode, finished.stderr
    operations, _ = read(journal)
    return operations


def test_a_killed_database_loses_nothing_and_the_check_says_so(
    own_mongo: EmbeddedMongo, servers: list[Server], start_load: StartLoad, journal: Path, tmp_path: Path
) -> None:
    """The whole sequence: load, a fault, its end, the check with the audit log, the report."""
    urls = [argument for server in servers for argument in ("--url", server.url)]
    running = start_load(*urls, "--clients", "4", "--rate", "100", "--give-up", "120")
    wait_for(journal, 20, *CREATED)

    load("mark", "--journal", journal, "killed mongod")
    os.kill(own_mongo.process.pid, signal.SIGKILL)
    own_mongo.process.wait()
    wait_for_a_503(servers)
    own_mongo.start()
    # A client that got a 503 has its answer long before so many more operations.
    wait_for(journal, 100, *CREATED)
    running.send_signal(signal.SIGTERM)
    _, progress = running.communicate(timeout=60)

    assert 0 == running.returncode, progress
    assert "operations, 0 errors" in progress.splitlines()[-1]
    operations, (mark,) = read(journal)
    assert {Kind.CREATE, Kind.FETCH} == {one.op for one in operations}
    assert any("503" in one.errors and one.result is Result.OK for one in operations)
    assert {server.url for server in servers} == {one.url for one in operations}
    audit = tmp_path / "audit.jsonl"
    audit.write_text(newest_audit_records(own_mongo))
    checked = load("check", "--journal", journal, *urls, "--audit", audit)
    assert 0 == checked.returncode, checked.stdout + checked.stderr
    last = load("report", "--journal", journal).stdout.splitlines()[-1]
    assert last.startswith("| killed mongod | ")
    assert last.endswith(" | 0 | 0 |")
    first_write = min(
        one.end
        for one in operations
        if one.op is Kind.CREATE and one.result is Result.OK and one.end > mark.t
    )
    assert first_write - mark.t - 0.1 < float(last.split(" | ")[1])


def newest_audit_records(mongo: EmbeddedMongo) -> str:
    """Return the audit log as an operator would get it."""
    finished = operate(variables(mongo), "audit", "--last", "1000000")
    finished.check_returncode()
    return finished.stdout.decode()


def wait_for_a_503(servers: list[Server]) -> None:
    """Wait until the load gets a 503."""
    end = time.monotonic() + 60
    while not any(
        '"status": 503' in line and "/vault/secret" in line
        for server in servers
        for line in server.log.read_text().splitlines()
    ):
        assert time.monotonic() < end, servers[0].log.read_text()
        time.sleep(0.1)


def test_a_node_that_is_gone_costs_retries_only(server: Server, journal: Path) -> None:
    """If nothing listens at an address, the next attempt goes to another one."""
    operations = run_to_its_end(
        journal, "--url", dead_url(), "--url", server.url, "--seconds", "1", "--rate", "50"
    )

    assert {False} == {one.failed for one in operations}
    retried = [one for one in operations if one.attempts == 2 and one.result is Result.OK]
    assert {(server.url, ("ConnectionError",))} == {(one.url, one.errors) for one in retried}


def test_with_no_node_left_it_gives_up_and_continues(journal: Path) -> None:
    """Every create is recorded with its attempts, and only acknowledged secrets are fetched."""
    operations = run_to_its_end(journal, "--url", dead_url(), "--seconds", "2", "--give-up", "0.3")

    gave_up = [one for one in operations if one.failed]
    assert {(Kind.CREATE, Result.GAVE_UP, None, ())} == {
        (one.op, one.result, one.id, one.request_ids) for one in gave_up
    }
    assert {True} == {one.attempts == len(one.errors) for one in gave_up}


def test_what_the_end_cuts_off_is_no_error(start_load: StartLoad, journal: Path) -> None:
    """After SIGTERM during retries, the operation is still recorded, as stopped."""
    with socket.create_server(("127.0.0.1", 0)) as node:
        url = f"http://127.0.0.1:{node.getsockname()[1]}"
        running = start_load("--url", url, "--clients", "1", "--seconds", "600", "--give-up", "600")
        node.accept()[0].close()
    running.send_signal(signal.SIGTERM)

    _, progress = running.communicate(timeout=60)
    assert "1 operations, 0 errors" == progress.splitlines()[-1]
    ((operation,), _) = read(journal)
    assert (Result.GAVE_UP, "stopped") == (operation.result, operation.errors[-1])


def test_an_unexpected_answer_is_an_error_at_once(serve: Callable[..., Server], journal: Path) -> None:
    """There is no retry after an answer that says what is wrong."""
    server = serve(MAX_SECRET_BYTES="1")
    server.wait_until()

    operations = run_to_its_end(journal, "--url", server.url, "--seconds", "1", "--rate", "20")

    assert {(Kind.CREATE, Result.ERROR, 1, ("413",))} == {
        (one.op, one.result, one.attempts, one.errors) for one in operations if one.failed
    }


def test_the_environment_sends_no_load_elsewhere(
    server: Server, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy is not used for the own nodes; with a proxy that does not exist, using it would fail."""
    monkeypatch.setenv("http_proxy", dead_url())
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)

    operations = run_to_its_end(journal, "--url", server.url, "--seconds", "1", "--rate", "20")

    assert {Result.OK} == {one.result for one in operations if not one.errors}
    assert {1} == {one.attempts for one in operations}


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--url", "http://8.8.8.8:8000"],
        ["check", "--url", "http://8.8.8.8:8000"],
        ["run", "--url", "https://127.0.0.1:8000", "--cacert", "/nowhere"],
        ["run", "--url", "http://127.0.0.1:8000", "--clients", "0"],
        ["run", "--url", "http://127.0.0.1:8000", "--seconds", "inf"],
        ["run"],
    ],
    ids=" ".join,
)
def test_refuses_what_it_must_not_do(arguments: list[str], journal: Path) -> None:
    """Exit code 2 and a line that says why, before anything is sent or written."""
    finished = load(*arguments, "--journal", journal)

    assert 2 == finished.returncode
    assert finished.stderr
    assert not journal.exists()


def test_sends_the_given_token(
    serve: Callable[..., Server], give: Callable[..., str], journal: Path, tmp_path: Path
) -> None:
    """In ``run`` and ``check``; without it every answer is a 401, and recorded as an error at once."""
    server = serve(AUTH_REQUIRED="true")
    server.wait_until()
    token = tmp_path / "token"
    token.write_text(give("create:load/*") + "\n")
    known = ("--url", server.url, "--token-file", str(token))

    operations = run_to_its_end(journal, *known, "--seconds", "1", "--rate", "20")
    assert {Result.OK} == {one.result for one in operations if not one.errors}
    assert 0 == load("check", "--journal", journal, *known).returncode

    journal.unlink()
    refused = run_to_its_end(journal, "--url", server.url, "--seconds", "1", "--rate", "20")
    assert {(Result.ERROR, ("401",))} == {(one.result, one.errors) for one in refused if one.failed}


def test_uses_https_with_the_given_ca(
    authority: Authority, serve: Callable[..., Server], journal: Path
) -> None:
    """In ``run`` and ``check``; without the CA every connection fails, and each operation has the error."""
    file = str(authority.issue("load"))
    server = serve(authority.file, TLS_CERT_FILE=file, TLS_KEY_FILE=file)
    server.wait_until()
    known = ("--url", server.url, "--cacert", str(authority.file))

    assert {Result.OK} == {
        one.result
        for one in run_to_its_end(journal, *known, "--seconds", "1", "--rate", "20")
        if not one.errors
    }
    checked = load("check", "--journal", journal, *known)
    assert 0 == checked.returncode, checked.stdout + checked.stderr

    journal.unlink()
    unknown = run_to_its_end(journal, "--url", server.url, "--seconds", "2", "--give-up", "1")
    assert {Result.GAVE_UP} == {one.result for one in unknown}
    assert "SSLError" in {error for one in unknown for error in one.errors}
