"""A rotation of the master key, replica by replica, with real servers and a real mongod.

Each replica has its own folder with keys, as the nodes of a cluster are changed one after the other.
"""

import base64
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from pymongo.database import Database

from service.crypto.aead import key_id_of
from tests.calls import CREATE, FETCH, TOKEN, WHOAMI
from tests.commands.test_indexes import run
from tests.conftest import MASTER_KEY, OTHER_MASTER_KEY, make_ring
from tests.filling import fill
from tests.gunicorn_server import ROOT, Server
from tests.replica_set import until
from tests.test_leaks import assert_clean, forms

UPDATE, DESTROY = "/vault/secret/update", "/vault/secret/destroy"
KEYS = {"v1": MASTER_KEY, "v2": OTHER_MASTER_KEY}
OLD, NEW = (key_id_of(key).hex() for key in KEYS.values())
# The names of a replica's keys, the primary one last.
Ring = tuple[str, ...]

Replica = Callable[..., Server]


@pytest.fixture
def keys(tmp_path: Path) -> Callable[[Ring], dict[str, str | None]]:
    """Return a function that returns the variables for a key ring, in a new folder."""

    def variables(ring: Ring) -> dict[str, str | None]:
        folder = tmp_path / f"keys-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        for name in ring:
            (folder / name).write_bytes(KEYS[name])
        return {"MASTER_KEY": None, "MASTER_KEYS_DIR": str(folder), "MASTER_KEY_PRIMARY": ring[-1]}

    return variables


@pytest.fixture
def replica(serve: Callable[..., Server], keys: Callable[[Ring], dict[str, str | None]]) -> Replica:
    """Return a function that starts a replica and waits until ``/readyz`` returns ``status``."""

    def start(*ring: str, status: int = 200, **changed: str) -> Server:
        server = serve(**keys(ring) | {"AUTH_REQUIRED": "true", "WORKERS": "1"} | changed)
        server.wait_until(status=status)
        return server

    return start


@pytest.fixture
def operator(
    environment: dict[str, str], keys: Callable[[Ring], dict[str, str | None]]
) -> Callable[..., dict[str, str]]:
    """Return a function that returns the variables of the operator's commands for a key ring."""

    def variables(*ring: str) -> dict[str, str]:
        changed = environment | keys(ring)
        return {name: value for name, value in changed.items() if value is not None}

    return variables


def call(server: Server, token: str, route: str, /, **body: object) -> requests.Response:
    """Call as the holder of a token."""
    return server.post(route, body, headers={"Authorization": f"Bearer {token}"})


def create(server: Server, admin: str, path: str) -> str:
    """Create a secret at ``path`` and return a token that may fetch it."""
    assert 200 == call(server, admin, CREATE, secret="YQ==", path=path).status_code
    return call(server, admin, TOKEN + "create", name=path, scopes=[f"fetch:{path}"]).json()["token"]


def under(database: Database, key_id: str) -> int:
    """Return how many data keys and tags are under a key, according to their bytes."""
    collections = ("secrets", "tokens", "grants", "approles", "approle_secret_ids")
    tagged = [document for name in collections for document in database[name].find()]
    values = [document["tag"] for document in tagged if "tag" in document]
    values += [
        version["data_key"]
        for document in database.secrets.find()
        for version in document["versions"]
        if "data_key" in version
    ]
    return sum(value[1:9].hex() == key_id for value in values)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("v1",), ("v2", "v1")),
        (("v2", "v1"), ("v2", "v1")),
        (("v2", "v1"), ("v1", "v2")),
        (("v1", "v2"), ("v1", "v2")),
    ],
    ids=["added to one", "added to all", "primary at one", "primary at all"],
)
def test_replicas_serve_each_others_secrets_and_tokens_at_every_stage(
    replica: Replica, give: Callable[..., str], one: Ring, other: Ring
) -> None:
    """Each can read and change what the other created, with either key as the primary."""
    admin = give("admin")
    servers = [replica(*one), replica(*other)]

    for creator, path in zip(servers, ("created/here", "created/there"), strict=True):
        token = create(creator, admin, path)
        for server in servers:
            assert "YQ==" == call(server, token, FETCH, path=path).json()["secret"]
            assert 200 == call(server, admin, UPDATE, path=path, secret="YQ==").status_code
    for server in servers:
        assert 200 == server.wait_until().status_code


def test_a_replica_without_the_new_key_names_it(replica: Replica, give: Callable[..., str]) -> None:
    """What it cannot decrypt is a 500, everything else is served; after a restart it is not ready."""
    admin = give("admin")
    old = replica("v1")
    create(old, admin, "old")
    create(replica("v1", "v2"), admin, "new")

    assert 500 == call(old, admin, FETCH, path="new").status_code
    assert "YQ==" == call(old, admin, FETCH, path="old").json()["secret"]
    assert 200 == old.wait_until().status_code
    message = replica("v1", status=503).wait_until(status=503).json()["checks"]["keys"]
    assert f"stored data needs master key {NEW}, which the key ring ({OLD}) lacks: add that key" in message


def test_the_old_key_can_be_removed_only_after_a_rewrap(
    replica: Replica, give: Callable[..., str], operator: Callable[..., dict[str, str]], database: Database
) -> None:
    """A replica without it is not ready, says why, and serves once nothing needs the old key."""
    admin = give("admin")
    reader = create(replica("v1"), admin, "a")
    both = replica("v1", "v2")
    early = replica("v2", status=503)

    message = early.wait_until(status=503).json()["checks"]["keys"]
    assert f"the key ring ({NEW}) does not open what the database holds" in message
    assert f"sealed under master key {OLD}" in message
    # It cannot even record the call: the key of the audit log is under the old key as well.
    assert 503 == call(early, admin, CREATE, secret="YQ==").status_code

    finished = run(operator("v1", "v2"), "key", "rewrap")
    assert (0, "") == (finished.returncode, finished.stdout), finished.stderr

    early.wait_until()
    for server in (early, both):
        assert "YQ==" == call(server, reader, FETCH, path="a").json()["secret"]
    assert 0 == under(database, OLD)


def test_a_replica_that_still_writes_under_the_old_key_is_detected(
    replica: Replica, give: Callable[..., str], operator: Callable[..., dict[str, str]], database: Database
) -> None:
    """A replica that starts without that key is not ready until another rewrap."""
    admin = give("admin")
    outdated, running = replica("v2", "v1"), replica("v1", "v2")
    assert 0 == run(operator("v1", "v2"), "key", "rewrap").returncode
    done = replica("v2")
    create(outdated, admin, "late")

    late = replica("v2", status=503)
    message = late.wait_until(status=503).json()["checks"]["keys"]
    assert f"stored data needs master key {OLD}, which the key ring ({NEW}) lacks" in message
    assert {200} == {server.wait_until().status_code for server in (done, running, outdated)}

    assert 0 == run(operator("v1", "v2"), "key", "rewrap").returncode
    late.wait_until()
    assert "YQ==" == call(late, admin, FETCH, path="late").json()["secret"]


class Caller(threading.Thread):
    """Creates, changes, fetches and destroys its own secrets, and knows the values they must have."""

    def __init__(self, servers: list[Server], admin: str, number: int) -> None:
        super().__init__()
        self.servers, self.admin, self.number = servers, admin, number
        self.expected: dict[str, str | None] = {}
        self.wrong: list[str] = []
        self.enough = threading.Event()

    def run(self) -> None:
        choose = random.Random(self.number)  # noqa: S311  (a test's)
        while not self.enough.is_set():
            server = choose.choice(self.servers)
            # Secrets that existed before, under the old key, and some that it created itself.
            path = f"filled/{self.number * 100 + choose.randrange(100)}"
            value = base64.b64encode(choose.randbytes(8)).decode()
            if path not in self.expected:
                self.expected[path] = "YQ=="
            match choose.randrange(4):
                case 0 | 1 if self.expected[path] is not None:
                    self._check(call(server, self.admin, UPDATE, path=path, secret=value), 200)
                    self.expected[path] = value
                case 2 if self.expected[path] is not None and choose.random() < 0.3:
                    self._check(call(server, self.admin, DESTROY, path=path), 200)
                    self.expected[path] = None
                case 3 if self.expected[path] is None:
                    self._check(call(server, self.admin, CREATE, path=path, secret=value), 200)
                    self.expected[path] = value
                case _:
                    self.look(server, path)

    def look(self, server: Server, path: str) -> None:
        """Fetch a secret and compare it with its expected value."""
        expected = self.expected[path]
        answer = call(server, self.admin, FETCH, path=path)
        self._check(answer, 404 if expected is None else 200)
        if answer.ok and answer.json()["secret"] != expected:
            self.wrong.append(f"{path}: wrong value")

    def _check(self, answer: requests.Response, status: int) -> None:
        if answer.status_code != status:
            self.wrong.append(f"{status} expected: {answer.text}")


def test_a_rewrap_under_load_loses_nothing(
    replica: Replica, give: Callable[..., str], operator: Callable[..., dict[str, str]], database: Database
) -> None:
    """Callers of two replicas get no errors, and afterwards the old key is not needed."""
    fill(database, make_ring(MASTER_KEY), 2000)
    admin = give("admin")
    servers = [replica("v1", "v2") for _ in range(2)]
    callers = [Caller(servers, admin, number) for number in range(4)]

    for caller in callers:
        caller.start()
    try:
        time.sleep(1)
        finished = run(operator("v1", "v2"), "key", "rewrap")
        time.sleep(1)
    finally:
        for caller in callers:
            caller.enough.set()
            caller.join()

    assert (0, "") == (finished.returncode, finished.stdout), finished.stderr
    assert [] == [wrong for caller in callers for wrong in caller.wrong]
    assert 0 == under(database, OLD)
    alone = replica("v2")
    for caller in callers:
        assert 10 < len(caller.expected)
        for path in caller.expected:
            caller.look(alone, path)
    assert [] == [wrong for caller in callers for wrong in caller.wrong]


def start_rewrap(variables: dict[str, str]) -> subprocess.Popen[str]:
    """Start the command and return once it works."""
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "key", "rewrap"],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "to do" in process.stderr.readline()
    return process


def test_a_rewrap_resumes_after_it_was_killed(
    operator: Callable[..., dict[str, str]], database: Database, give: Callable[..., str]
) -> None:
    """At any point; the last run does only what was left."""
    fill(database, make_ring(MASTER_KEY), 3000)
    for _ in range(20):
        give("fetch:*")
    both = operator("v1", "v2")
    database.meta.insert_one({"_id": f"key {NEW}", "wraps": 0})
    left = [under(database, OLD)]
    assert 6020 == left[0]

    for number in range(6):
        process = start_rewrap(both)
        if number == 0:
            # So that at least one kill interrupts the work, even on a slow machine.
            until(lambda: under(database, OLD) < left[0])
        time.sleep(random.uniform(0, 0.25))  # noqa: S311  (a test's)
        process.kill()
        process.communicate()
        left.append(under(database, OLD))
    finished = run(both, "key", "rewrap")

    assert sorted(left, reverse=True) == left
    assert (0, "") == (finished.returncode, finished.stdout), finished.stderr
    assert (0, 6020) == (under(database, OLD), under(database, NEW))
    assert 7 == database.audit_logs.count_documents({"operation": "key_rewrap_start"})


def test_two_concurrent_rewraps_share_the_work(
    operator: Callable[..., dict[str, str]], database: Database
) -> None:
    """Each secret is rewrapped by one of them, and both succeed."""
    fill(database, make_ring(MASTER_KEY), 2000)
    both = operator("v1", "v2")
    database.meta.insert_one({"_id": f"key {NEW}", "wraps": 0})

    with ThreadPoolExecutor(2) as pool:
        finished = list(pool.map(lambda _: run(both, "key", "rewrap"), range(2)))

    assert [0, 0] == [process.returncode for process in finished], [process.stderr for process in finished]
    done = [line for process in finished for line in process.stderr.splitlines() if " done in " in line]
    assert 2000 == sum(int(line.split()[1]) for line in done)
    assert (0, 4000) == (under(database, OLD), under(database, NEW))
    assert {1} == set(database.secrets.distinct("revision"))


def test_keys_appear_nowhere(
    replica: Replica, give: Callable[..., str], operator: Callable[..., dict[str, str]], database: Database
) -> None:
    """Not in the output of commands, responses, logs, metrics or the database, even after errors."""
    admin = give("admin")
    servers = [replica("v1", LOG_LEVEL="DEBUG"), replica("v1", "v2", LOG_LEVEL="DEBUG")]
    create(servers[0], admin, "a")
    broken = give("fetch:*")
    database.tokens.update_one({"_id": broken.split("_")[1]}, {"$set": {"name": "another"}})
    servers.append(replica("v2", status=503, LOG_LEVEL="DEBUG"))

    finished = [
        run(operator(*ring), "key", action)
        for ring in (("v1",), ("v2",), ("v1", "v2"))
        for action in ("status", "rewrap")
    ]
    answers = [
        requests.get(server.url + path, headers={"Authorization": f"Bearer {admin}"}, timeout=30)
        for server in servers
        for path in ("/vault/key/status", "/readyz", "/metrics")
    ]
    stored = [list(database[name].find()) for name in database.list_collection_names()]

    assert [0, 0, 2, 2, 0, 1] == [process.returncode for process in finished]
    assert f"sealed under master key {OLD}" in finished[2].stderr
    assert OLD in finished[0].stdout
    canaries = [form for key in KEYS.values() for form in forms(key)]
    assert_clean("standard output", "".join(each.stdout for each in finished).encode(), canaries)
    assert_clean("standard error", "".join(each.stderr for each in finished).encode(), canaries)
    assert_clean("a response", b"".join(answer.content for answer in answers), canaries)
    assert_clean("the database", repr(stored).encode(), canaries)
    for server in servers:
        assert_clean("the log", server.log.read_bytes(), canaries)
    assert 200 == call(servers[1], admin, WHOAMI).status_code
