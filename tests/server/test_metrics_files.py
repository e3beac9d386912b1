"""server.metrics_files: nothing is left in shared memory, nothing grows, and nothing dies of SIGBUS."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from service.dev.mongod import EmbeddedMongo
from service.server import metrics_files
from tests.gunicorn_server import ROOT, Server, command, free_port

MEMORY = Path("/dev/shm")
COUNTED = 'vault_http_requests_total{method="POST",route="/vault/secret/create/",status="200"}'

# Prints what all routes with all their usual statuses need in the files of one process.
COUNT_EVERYTHING = """
import base64, os, struct, sys
from pathlib import Path
from service.server import metrics_files
metrics_files.open_folder(Path(sys.argv[1]), 1)
from service import metrics
from service.api.kv import routes as kv_routes
from service.app import create_app
from service.environment import Environment
from service.settings import Settings
key = base64.b64encode(bytes(range(32))).decode()
app = create_app(Settings.from_environment(Environment({"MASTER_KEY": key})))
routes = [
    (method, rule.rule)
    for rule in app.url_map.iter_rules()
    for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}
]
for method, route in [*routes, *kv_routes.templates()]:
    metrics.latency.labels(route).observe(1)
    for status in (200, 400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503):
        metrics.requests.labels(method, route, str(status)).inc()
for kind, size in metrics_files.SIZES.items():
    file = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]) / f"{kind}_0.db"
    assert size == file.stat().st_size, kind
    print(struct.unpack("i", file.read_bytes()[:4])[0] / size)
"""


def folder_of(server: Server) -> Path:
    """Return the folder that a server holds."""
    descriptors = [each.readlink() for each in Path(f"/proc/{server.process.pid}/fd").iterdir()]
    return next(path for path in descriptors if path.match(f"{MEMORY}/secret-manager-*"))


def start(environment: dict[str, str], *before: str | Path) -> tuple[int, str]:
    """Start a server that fails; return its exit code and its log."""
    finished = subprocess.run(
        [*before, *command(ROOT)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return finished.returncode, finished.stderr


def with_memory(folder: Path) -> tuple[str | Path, ...]:
    """Return what a command begins with to have this folder as its shared memory.

    It cannot reach the database that the tests share, which may be there.
    """
    return ("unshare", "--mount", "sh", "-ec", f'mount --bind "{folder}" {MEMORY}; exec "$@"', "-")


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def space(folder: Path) -> int:
    """Return the bytes that the files in a folder take."""
    return sum(file.stat().st_blocks * 512 for file in folder.iterdir())


def counted(server: Server) -> str:
    """Return the number of secrets created, as it is shown."""
    lines = requests.get(f"{server.url}/metrics", timeout=10).text.splitlines()
    return next((line.split()[-1] for line in lines if line.startswith(COUNTED)), "")


def test_a_server_that_stops_leaves_nothing(server: Server) -> None:
    """And it has one folder while it runs."""
    its = folder_of(server)
    assert its.is_dir()

    server.stop()

    assert not its.exists()


def test_the_next_start_removes_what_a_killed_server_left(
    server: Server, serve: Callable[..., Server]
) -> None:
    """But nothing of one that runs, and nothing of one whose workers still finish their requests."""
    its = folder_of(server)
    workers = server.workers()
    server.process.kill()
    server.process.wait()
    assert its.exists()
    wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))

    second = serve()
    second.wait_until()
    assert not its.exists()

    serve().wait_until()
    assert folder_of(second).is_dir()
    second.create()
    assert "1.0" == counted(second)


def test_a_start_that_fails_leaves_nothing(
    server: Server, environment: dict[str, str], own_mongo: EmbeddedMongo, small_disk: Path
) -> None:
    """On a port that is taken, which gunicorn tries for some seconds; and without a database."""
    environment |= {"MONGO_URI": own_mongo.uri}
    taken = {"LISTEN": f"127.0.0.1:{server.port}"}
    without = {"MONGO_URI": "mongodb://127.0.0.1:9", "STARTUP_TIMEOUT_SECONDS": "1"}

    code, log = start(environment | taken, *with_memory(small_disk))
    assert "Can't connect to" in log
    assert (1, []) == (code, list(small_disk.iterdir()))

    code, log = start(environment | without, *with_memory(small_disk))
    assert "MongoDB was not reachable" in log
    assert (1, []) == (code, list(small_disk.iterdir()))


def test_workers_that_die_leave_no_files(server: Server) -> None:
    """The next ones go on with theirs, and counters do not fall."""
    its = folder_of(server)
    names = {file.name for file in its.glob("*.db")}
    taken = space(its)
    for killed in range(1, 4):
        server.create()
        before = server.workers()
        for worker in before:
            os.kill(worker, signal.SIGKILL)
        wait_until(lambda old=before: len(server.workers()) == 2 and not {*old} & {*server.workers()})
        server.wait_until()
        assert f"{killed}.0" == counted(server)

    assert names == {file.name for file in its.glob("*.db")}
    assert taken == space(its)


def test_the_space_is_taken_before_it_is_needed(server: Server) -> None:
    """For more workers as well, which there are during a reload."""
    its = folder_of(server)
    assert 3 * sum(metrics_files.SIZES.values()) <= space(its)

    server.process.send_signal(signal.SIGTTIN)
    wait_until(lambda: len(server.workers()) == 3)

    assert 4 * sum(metrics_files.SIZES.values()) <= space(its)


def test_all_metrics_fit(tmp_path: Path) -> None:
    """With a quarter to spare: beyond its size a file would grow into space that nobody has taken."""
    finished = subprocess.run(
        [sys.executable, "-c", COUNT_EVERYTHING, tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "" == finished.stderr
    assert max(map(float, finished.stdout.split())) < 0.75
    assert [] == list(tmp_path.iterdir())


def test_a_full_shared_memory_is_told_at_the_start(environment: dict[str, str], small_disk: Path) -> None:
    """In one line, and nothing is left in it."""
    (small_disk / "other").write_bytes(bytes(900 * 1024))
    environment |= {"LISTEN": f"127.0.0.1:{free_port()}"}

    code, log = start(environment, *with_memory(small_disk))

    (line,) = [line for line in log.splitlines() if not line.startswith("{")]
    assert "no files for the metrics can be made in /dev/shm: No space left on device" in line
    assert "they need 2352 KiB" in line
    assert 1 == code
    assert ["other"] == [file.name for file in small_disk.iterdir()]


def test_a_shared_memory_that_fills_up_kills_nobody(
    environment: dict[str, str], own_mongo: EmbeddedMongo, small_disk: Path, tmp_path: Path
) -> None:
    """Neither the workers, nor those that take their place."""
    environment |= {"MONGO_URI": own_mongo.uri}
    server = Server(environment, tmp_path / "log", before=with_memory(small_disk))
    try:
        server.wait_until()
        with pytest.raises(OSError, match="No space left"):
            (small_disk / "other").write_bytes(bytes(2**20))
        first = server.workers()
        server.create()
        assert first == server.workers()

        os.kill(first[0], signal.SIGKILL)
        wait_until(lambda: len(server.workers()) == 2 and server.workers() != first)
        server.wait_until()
        server.create()
        assert "2.0" == counted(server)
    finally:
        server.stop()

    assert "SIGBUS" not in server.log.read_text()
