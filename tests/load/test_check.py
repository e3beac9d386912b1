"""load.check: finds what is missing, on a run that lost nothing until the test removed something."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from service.dev.mongod import EmbeddedMongo
from tests.conftest import variables
from tests.gunicorn_server import Server, free_port
from tests.load.check import AuditRecord, check
from tests.load.conftest import dump_audit_log, load, operation
from tests.load.errors import Refused
from tests.load.journal import Journal, Kind, Operation, Result, read
from tests.load.targets import Api


@dataclass
class Finished:
    """A run that has ended, and access to what it left."""

    journal: Path
    audit: Path
    url: str

    def check(self, *arguments: str) -> tuple[int, dict[str, str]]:
        """Return the exit code and the count of each kind of finding that is not 0."""
        finished = load(
            "check", "--journal", self.journal, "--url", self.url, "--audit", self.audit, *arguments
        )
        lines = [line.split(": ") for line in finished.stdout.splitlines() if not line.startswith("  ")]
        return finished.returncode, {line[0]: line[1] for line in lines if line[1:] and line[1] != "0"}

    def change_line(self, file: Path, number: int, change: Callable[[dict[str, object]], None]) -> None:
        """Rewrite one line of a file with JSON lines."""
        lines = file.read_text().splitlines()
        fields = json.loads(lines[number])
        change(fields)
        lines[number] = json.dumps(fields)
        file.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def untouched(
    mongo: EmbeddedMongo, mongo_client: MongoClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Finished]:
    """A second of load on a service without faults, and the audit log after it."""
    folder = tmp_path_factory.mktemp("load")
    journal = folder / "load.jsonl"
    mongo_client.drop_database("vault")
    server = Server(variables(mongo), folder / "log")
    try:
        server.wait_until()
        options = ("--clients", "2", "--seconds", "1", "--rate", "50")
        assert 0 == load("run", "--journal", journal, "--url", server.url, *options).returncode
        yield Finished(journal, dump_audit_log(mongo_client["vault"], folder / "audit.jsonl"), server.url)
    finally:
        server.stop()


@pytest.fixture
def vault(mongo_client: MongoClient) -> Iterator[Database]:
    """The database as the run left it; what a test does to it is undone."""
    vault = mongo_client["vault"]
    before = {name: list(vault[name].find()) for name in ("secrets", "audit_logs")}
    yield vault
    for name, documents in before.items():
        vault[name].delete_many({})
        vault[name].insert_many(documents)


@pytest.fixture
def finished(untouched: Finished, tmp_path: Path) -> Finished:
    """The run, with files that a test may change."""
    return Finished(
        Path(shutil.copy(untouched.journal, tmp_path)),
        Path(shutil.copy(untouched.audit, tmp_path)),
        untouched.url,
    )


def first(finished: Finished, kind: Kind) -> tuple[int, Operation]:
    """Return the first acknowledged operation of a kind, with its place in the journal."""
    operations, _ = read(finished.journal)
    return next((number, one) for number, one in enumerate(operations) if one.op is kind and one.acknowledged)


def test_finds_nothing_where_nothing_is_missing(finished: Finished) -> None:
    """The baseline for the tests below: the same run, unchanged."""
    assert (0, {}) == finished.check()


def test_finds_a_lost_secret(finished: Finished, vault: Database) -> None:
    """One document removed behind the service's back."""
    _, created = first(finished, Kind.CREATE)
    assert 1 == vault.secrets.delete_one({"_id": created.id}).deleted_count

    assert (1, {"lost": "1"}) == finished.check()


def test_finds_a_wrong_value(finished: Finished) -> None:
    """The journal has another value than the service."""
    number, _ = first(finished, Kind.CREATE)
    finished.change_line(finished.journal, number, lambda fields: fields.update(digest="00" * 32))

    assert (1, {"wrong": "1"}) == finished.check()


def test_finds_a_secret_that_does_not_open(finished: Finished, vault: Database) -> None:
    """It is neither lost nor wrong, but its owner cannot read it either."""
    _, created = first(finished, Kind.CREATE)
    vault.secrets.update_one({"_id": created.id}, {"$set": {"versions.0.payload": b"x" * 60}})

    assert (1, {"unanswered": "1"}) == finished.check()


@pytest.mark.parametrize("kind", Kind)
def test_finds_an_answer_without_a_record(finished: Finished, vault: Database, kind: Kind) -> None:
    """Reads must be recorded like writes."""
    _, answered = first(finished, kind)
    assert 1 == vault.audit_logs.delete_one({"request_id": answered.request_ids[0]}).deleted_count
    dump_audit_log(vault, finished.audit)

    assert (1, {"unaudited": "1"}) == finished.check()


@pytest.mark.parametrize("field", ["operation", "secret_id", "status"])
def test_a_record_of_something_else_is_no_record(finished: Finished, vault: Database, field: str) -> None:
    """Only its request id is right."""
    _, answered = first(finished, Kind.CREATE)
    vault.audit_logs.update_one({"request_id": answered.request_ids[0]}, {"$set": {field: "other"}})
    dump_audit_log(vault, finished.audit)

    assert (1, {"unaudited": "1"}) == finished.check()


@pytest.mark.parametrize(
    ("result", "error"), [(Result.WRONG, []), (Result.ERROR, ["404"])], ids=["wrong", "denied"]
)
def test_finds_what_was_contradicted_during_the_run(
    finished: Finished, result: Result, error: list[str]
) -> None:
    """Even if it is right again now."""
    number, _ = first(finished, Kind.FETCH)
    finished.change_line(finished.journal, number, lambda fields: fields.update(result=result, errors=error))

    assert (1, {"contradicted during the run": "1"}) == finished.check()


def test_finds_a_service_that_is_gone(finished: Finished) -> None:
    """What cannot be checked does not count as safe."""
    operations, _ = read(finished.journal)

    found = check(operations, None, Api([f"http://127.0.0.1:{free_port()}"]), clients=8, give_up=0.2)

    assert found.checked == len(found.unanswered) > 0
    assert not found.clean


def test_an_answer_without_a_request_id_counts_as_unaudited() -> None:
    """It cannot be matched with a record."""
    audit = frozenset({AuditRecord("r", "create", operation().id, "success")})
    dead = Api([f"http://127.0.0.1:{free_port()}"])

    traced = check([operation()], audit, dead, clients=1, give_up=0.1)
    untraced = check([operation(request_ids=())], audit, dead, clients=1, give_up=0.1)

    assert [[], [operation(request_ids=())]] == [traced.unaudited, untraced.unaudited]


def test_refuses_to_prove_nothing(journal: Path) -> None:
    """If nothing in the journal was acknowledged, the load did not run."""
    with Journal(journal) as lines:
        lines.append(operation(result=Result.GAVE_UP, id=None, request_ids=()))
    operations, _ = read(journal)

    with pytest.raises(Refused, match="no acknowledged create"):
        check(operations, None, Api([]), clients=1, give_up=1)
