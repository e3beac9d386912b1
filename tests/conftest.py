"""What the tests share: one real mongod, applications on it, and gunicorns where processes matter."""

from __future__ import annotations

import base64
import gc
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import settings
from pymongo import MongoClient
from pymongo.database import Database
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from service.access import policy, scopes
from service.api import dependencies
from service.app import key_ring
from service.approles.ending import end_made_by
from service.audit.deliveries import Deliveries
from service.audit.key import AuditKey
from service.audit.recorder import Entry
from service.crypto.context import Context
from service.crypto.keyring import KeyRing, MasterKeys
from service.dev.mongod import EmbeddedMongo
from service.environment import Environment
from service.keys.canary import KeyRingCheck
from service.models import Caller, now
from service.secrets.folder_defaults import FolderDefaults
from service.secrets.services import SecretServices
from service.settings import Settings
from service.store.store import Store
from service.tokens import tokens
from service.tokens.attenuation import TokenRequest
from service.tokens.tokens import TokenServices
from tests import databases, kinds, standing
from tests.applications import Applications
from tests.certificates import Authority
from tests.gunicorn_server import ROOT, Server, command, free_port
from tests.openbao import OpenBao
from tests.openbao import running as running_openbao
from tests.proxy import Proxy
from tests.replica_set import Mongod, bare_members, initiate

MASTER_KEY = bytes(range(32))
OTHER_MASTER_KEY = bytes(range(224, 256))
TESTS = Path(__file__).parent
# Dropping a database waits for the journal, which is written every 100 ms by default; and nobody will ask
# for the figures that a mongod records every second.
MONGOD_OPTIONS = (
    *("--journalCommitInterval", "5"),
    *("--setParameter", "ttlMonitorSleepSecs=1"),
    *("--setParameter", "diagnosticDataCollectionEnabled=false"),
)
# For servers whose database a test kills or stops.
IMPATIENT = {"MONGO_TIMEOUT_SECONDS": "2"}

# One process tells the lab's stories.  One has this machine's cluster, then the roles, and at last the test
# that kills the engine: it waits until no other test uses it.
STORIES = "tests/lab/test_stories.py"
CLUSTER, ROLES, LAST = "tests/cluster/", "tests/lab/test_roles.py", "tests/cluster/test_killed_engine.py"
# Of the loop, what takes longest comes first as well, so that no process is left with it at the end.
SLOW = (
    "tests/test_slow_sockets.py",
    "tests/test_rotation.py",
    "tests/server/test_gunicorn.py",
    "tests/load/test_run.py",
    "tests/server/test_connection.py",
    "tests/server/test_worker.py",
    "tests/test_faults.py",
    "tests/commands/test_dev.py",
    "tests/test_leaks.py",
    "tests/test_plan.py",
    "tests/commands/test_mongo_setup.py",
    "tests/store/",
    "tests/test_scripts.py",
    "tests/mongo_admin/",
    "tests/backup/test_backups.py",
    "tests/test_races.py",
    "tests/test_evidence.py",
    "tests/test_replicas.py",
    "tests/test_server_tls.py",
    "tests/commands/",
    "tests/api/",
    "tests/secrets/",
)

# The loop tries few examples; .ci/run says `--hypothesis-profile=ci`.
settings.register_profile("default", deadline=None, max_examples=30)
settings.register_profile("ci", deadline=None, max_examples=100, print_blob=True)
settings.load_profile("default")


class Sharing(LoadScopeScheduling):
    """Shares the tests out by file, and keeps together what waits for the same machines."""

    def _split_scope(self, nodeid: str) -> str:
        return "cluster" if nodeid.startswith((CLUSTER, ROLES)) else super()._split_scope(nodeid)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the words that give this machine's cluster away."""
    parser.addoption(
        standing.OPTION,
        action="store_true",
        dest="take_cluster",
        help="let the cluster's tests take this machine's apart, data included, even if they did not make it",
    )


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return three processes for each processor, as tests also wait; two for the cluster and the lab."""
    return 2 if machine_tests(config) else 3 * (os.cpu_count() or 1)


def pytest_collection_finish() -> None:
    """Leave what was imported and collected to no garbage collection: it stays to the end."""
    gc.freeze()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Sharing:
    """Give tests that share machines to one process, and the files of all others to whichever is free."""
    return Sharing(config, log)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Refuse, before anything is changed, to take a cluster apart that the tests did not make."""
    config = session.config
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    for kind in machine_tests(config):
        if reason := standing.reason_against(kind, config.option.take_cluster):
            raise pytest.UsageError(reason)


def machine_tests(config: pytest.Config) -> list[str]:
    """Return which of the kinds that change this machine, cluster and lab, may be among the tests to run."""
    chosen = [Path(argument.split("::")[0]).resolve() for argument in config.args]
    return [
        kind
        for kind in ("cluster", "lab")
        if kinds.selects(config.option.markexpr, kind)
        and any((TESTS / kind).is_relative_to(path) or path.is_relative_to(TESTS / kind) for path in chosen)
    ]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with its kind, and begin with what takes longest."""
    order = (STORIES, CLUSTER, ROLES, *SLOW, "", LAST)

    def rank(item: pytest.Item) -> int:
        # The empty one is how all begin; of several that fit, the longest says most.
        return order.index(max((start for start in order if item.nodeid.startswith(start)), key=len))

    for item in items:
        kinds.mark(item)
    items.sort(key=rank)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Hold the quick ones to it."""
    with kinds.nothing_slow_starts() if kinds.is_quick(item) else nullcontext():
        return (yield)


@pytest.fixture(scope="session")
def mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedMongo]:
    """A real mongod for all tests that leave it alive; its TTL monitor runs every second."""
    with databases.folder(tmp_path_factory) as folder, EmbeddedMongo(folder, MONGOD_OPTIONS) as mongo:
        yield mongo


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    """A server with two workers, ready."""
    server = serve()
    server.wait_until()
    return server


@pytest.fixture(scope="module")
def standing_server(
    mongo: EmbeddedMongo, mongo_client: MongoClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server for all tests of a file; where these want an empty database, see ``empty_beside_servers``."""
    databases.empty(mongo_client, indexed=False)
    server = Server(variables(mongo), tmp_path_factory.mktemp("gunicorn") / "log")
    try:
        server.wait_until()
        yield server
    finally:
        server.stop()


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy that the environment names, with no exceptions."""
    proxy = Proxy()
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    yield proxy
    proxy.close()


@pytest.fixture(scope="session")
def openbao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    """A real OpenBao for all tests, each of which makes mounts of its own."""
    with running_openbao(tmp_path_factory.mktemp("openbao")) as server:
        yield server


@pytest.fixture
def own_mongo(tmp_path: Path) -> Iterator[EmbeddedMongo]:
    """A mongod of this test's own, to kill or to look into."""
    with EmbeddedMongo(tmp_path / "mongo") as mongo:
        yield mongo


@pytest.fixture(scope="session")
def mongo_client(mongo: EmbeddedMongo) -> Iterator[MongoClient]:
    """The test's own way into the database, beside the service's."""
    with MongoClient(mongo.uri, tz_aware=True) as client:
        yield client


@pytest.fixture
def database(mongo_client: MongoClient, request: pytest.FixtureRequest) -> Database:
    """The service's database, empty; with its indexes if the test asks for ``indexed``, else with none."""
    return databases.empty(mongo_client, indexed="indexed" in request.fixturenames)


@pytest.fixture
def nothing_yet(mongo_client: MongoClient, database: Database) -> None:
    """Have no database at all, as before the first start: emptying it leaves its collections."""
    mongo_client.drop_database("vault")


def variables(mongo: EmbeddedMongo) -> dict[str, str]:
    """Return the variables that make the service run on this database.

    Its limit is long, as a machine that does much else may stand still for seconds.
    """
    return {
        "MASTER_KEY": base64.b64encode(MASTER_KEY).decode(),
        "MONGO_URI": mongo.uri,
        "AUTH_REQUIRED": "false",
        "MONGO_TIMEOUT_SECONDS": "20",
        "STARTUP_TIMEOUT_SECONDS": "20",
    }


@pytest.fixture
def environment(mongo: EmbeddedMongo, database: Database) -> dict[str, str]:
    """The variables that make the service run on the empty database."""
    return variables(mongo)


@pytest.fixture(scope="session")
def applications() -> Applications:
    """The applications of all tests."""
    return Applications()


@pytest.fixture
def make_client(
    environment: dict[str, str], applications: Applications
) -> Iterator[Callable[..., FlaskClient]]:
    """Return a function that makes a client of an application with other variables than the usual."""
    with applications.borrowed() as borrow:

        def make(**changed: str | None) -> FlaskClient:
            variables = {name: value for name, value in (environment | changed).items() if value is not None}
            return borrow(variables).test_client()

        yield make


@pytest.fixture
def client(make_client: Callable[..., FlaskClient]) -> FlaskClient:
    """A client of an application in this process, on the real database."""
    return make_client()


@pytest.fixture
def guarded(make_client: Callable[..., FlaskClient]) -> FlaskClient:
    """A client of an application that demands tokens."""
    return make_client(AUTH_REQUIRED="true")


class Clock:
    """Tells the time that a test wants it to be; the database's own goes on as ever."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return now() + self.ahead


@pytest.fixture
def clock(client: FlaskClient, guarded: FlaskClient) -> Clock:
    """The clock of ``client`` and ``guarded``."""
    clock = Clock()
    for one in (client, guarded):
        with one.application.app_context():
            parts = dependencies.dependencies()
        dependencies.init_app(one.application, replace(parts, secrets=replace(parts.secrets, clock=clock)))
    return clock


@pytest.fixture
def store(environment: dict[str, str]) -> Iterator[Store]:
    """The service's own way into the empty database."""
    store = Store(environment["MONGO_URI"], 20)
    yield store
    store.close()


@pytest.fixture
def indexed(store: Store) -> None:
    """The indexes, for tests of what they do; nothing that has ended stays with them."""
    store.reconcile_indexes(0)


@pytest.fixture
def vault(store: Store, ring: KeyRing) -> SecretServices:
    """What the use cases of secrets work with, on the empty database."""
    key_check = KeyRingCheck(store.canaries, store.secrets, ring, store.keys, store.rewrap)
    deliveries = Deliveries(store.audit, AuditKey(store.audit_keys, store.audit, ring))
    folders = FolderDefaults(store.secrets, ring, key_check)
    return SecretServices(store.secrets, store.listing, ring, key_check, 65_536, deliveries, folders)


@pytest.fixture
def token_parts(environment: dict[str, str], store: Store) -> TokenServices:
    """What the use cases of tokens work with, in a process that remembers nothing."""
    ring = key_ring(Settings.from_environment(Environment(environment)), store)
    key_check = KeyRingCheck(store.canaries, store.secrets, ring, store.keys, store.rewrap)
    end_roles = partial(end_made_by, store.approles, store.secret_ids, ring)
    return TokenServices(store.tokens, store.sessions, ring, key_check, lambda _id: None, end_roles)


@pytest.fixture
def give(token_parts: TokenServices) -> Callable[..., str]:
    """Return a function that makes a token with these scopes, as the operator does."""

    def give(*scope: str, **request: Any) -> str:
        entry = Entry("token_create", Caller("127.0.0.1", "test"))
        wanted = TokenRequest("test", tuple(map(scopes.parse, scope)), **request)
        return tokens.create(token_parts, entry, policy.OPERATOR, wanted)[0]

    return give


@pytest.fixture
def serve(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Return a function that starts a real gunicorn with other variables than the usual."""
    servers: list[Server] = []

    def start(ca: Path | None = None, **changed: str | None) -> Server:
        server = Server(environment | changed, tmp_path / f"gunicorn-{len(servers)}.log", ca)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.begin_to_stop()
    for server in servers:
        server.stop()


@pytest.fixture
def refuse(environment: dict[str, str]) -> Callable[..., str]:
    """Return a function that starts a server, expects it to fail, and returns its error line."""

    def start(folder: Path = ROOT, **changed: str | None) -> str:
        process_environment = {**os.environ, **environment, "LISTEN": f"127.0.0.1:{free_port()}", **changed}
        finished = subprocess.run(
            command(ROOT),
            cwd=folder,
            env={name: value for name, value in process_environment.items() if value is not None},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert 0 != finished.returncode
        lines = [line for line in finished.stderr.splitlines() if not line.startswith("{")]
        assert 1 == len(lines), finished.stderr
        return lines[0]

    return start


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MiB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def no_temporary_folder() -> list[str]:
    """What a command begins with to run where no temporary folder can be written to."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    read_only = "for folder in /tmp /var/tmp .; do mount --bind -o ro $folder $folder; done"
    return ["unshare", "--mount", "sh", "-ec", f'{read_only}; cd "$PWD"; exec "$@"', "-"]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A CA, and the files of what it issues."""
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[list[Mongod]]:
    """Three mongods of no replica set and with no users."""
    with bare_members(tmp_path) as members:
        yield members


@pytest.fixture
def ready(bare: list[Mongod]) -> list[Mongod]:
    """Three members of one replica set, the first its primary, with no user but the administrator."""
    initiate(*bare)
    return bare


@pytest.fixture
def context() -> Context:
    """The place of some secret's first version."""
    return Context(secret_id="3f0f7b52-7a3c-4b52-9a53-0a7d4bb2f7b1", version=1)


@pytest.fixture
def ring() -> KeyRing:
    """A ring of one key that counts nothing."""
    return make_ring(MASTER_KEY)


def make_ring(primary: bytes, *others: bytes) -> KeyRing:
    """Return a ring of these keys."""
    return KeyRing(lambda: MasterKeys(primary, (primary, *others)), lambda _key_id: None)
