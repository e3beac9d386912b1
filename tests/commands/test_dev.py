"""commands.dev: one command, a secret within a minute, and nothing left running behind."""

import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from service.dev.mongod import EmbeddedMongo
from tests.gunicorn_server import ROOT, free_port


class Dev:
    """A running ``python -m service dev``."""

    def __init__(self, log: Path, *arguments: str, **environment: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "service", "dev", "--port", str(self.port), *arguments],
                cwd=ROOT,
                env={**os.environ, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_until_ready(self) -> str:
        """Wait until it is ready and return what it printed."""
        end = time.monotonic() + 90
        while time.monotonic() < end and self.process.poll() is None:
            if "Ready: " in (text := self.log.read_text()):
                return text
            time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def children(self) -> list[int]:
        """Return the ids of mongod and gunicorn, in the order in which they were started."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(child) for child in children.split()]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Callable[..., Dev]]:
    """Return a function that starts the command."""
    started: list[Dev] = []

    def start(*arguments: str, **environment: str) -> Dev:
        started.append(Dev(tmp_path / f"dev-{len(started)}.log", *arguments, **environment))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def paste(line: str) -> str:
    """Run a line as a user's shell does, and return what it prints."""
    finished = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60, check=True)
    return finished.stdout


def running(processes: list[int]) -> list[int]:
    """Return the processes that still run."""
    return [
        process
        for process in processes
        if (status := Path(f"/proc/{process}/stat")).exists()
        and status.read_text().rsplit(")")[1].split()[0] != "Z"
    ]


def test_the_printed_lines_work_and_everything_is_there_at_the_next_start(
    dev: Callable[..., Dev], tmp_path: Path
) -> None:
    """What a new user does: start, paste two lines, stop, start again."""
    first = dev("--data", str(tmp_path / "data"))
    printed = first.wait_until_ready()
    create, fetch = re.findall(r"^ +(curl .*)$", printed, flags=re.MULTILINE)

    created = paste(create)
    secret_id = re.search(r'"secret_id":"([^"]+)"', created)
    assert secret_id, created
    assert '"secret":"aGVsbG8="' in paste(fetch.replace("PASTE-THE-ID", secret_id[1]))

    children = first.children()
    assert 0 == first.stop()
    assert [] == running(children)

    second = dev("--data", str(tmp_path / "data"))
    second.wait_until_ready()
    fetched = requests.post(f"{second.url}/vault/secret/fetch", json={"secret_id": secret_id[1]}, timeout=10)
    assert "aGVsbG8=" == fetched.json()["secret"]


def test_ctrl_c_stops_everything(dev: Callable[..., Dev], tmp_path: Path) -> None:
    """SIGINT works like SIGTERM, and no stack trace is shown."""
    started = dev("--data", str(tmp_path / "data"))
    started.wait_until_ready()
    children = started.children()

    assert 0 == started.stop(signal.SIGINT)
    assert [] == running(children)
    assert "Traceback" not in started.log.read_text()


@pytest.mark.parametrize(("victim", "name"), [(0, "MongoDB"), (1, "the API")])
def test_when_one_dies_the_other_is_stopped(
    dev: Callable[..., Dev], tmp_path: Path, victim: int, name: str
) -> None:
    """Whichever process ends; exit code 1 shows that it was not requested."""
    started = dev("--data", str(tmp_path / "data"))
    started.wait_until_ready()
    children = started.children()

    os.kill(children[victim], signal.SIGKILL)

    assert 1 == started.process.wait(60)
    assert f"{name} stopped by itself" in started.log.read_text()
    assert [] == running(children)


def test_only_the_owner_can_read_data_and_key(dev: Callable[..., Dev], tmp_path: Path) -> None:
    """Folder 0700, key 0600, even if they had more permissions before; and the database opens no port."""
    data = tmp_path / "deep" / "data"
    data.mkdir(parents=True, mode=0o755)
    started = dev("--data", str(data))
    started.wait_until_ready()

    assert 0o700 == stat.S_IMODE(data.stat().st_mode)
    assert 0o600 == stat.S_IMODE((data / "master_key").stat().st_mode)
    mongod = started.children()[0]
    sockets = {str(file.readlink()) for file in Path(f"/proc/{mongod}/fd").iterdir() if file.exists()}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            assert f"socket:[{line.split()[9]}]" not in sockets


def test_uses_a_server_of_the_users_own(
    dev: Callable[..., Dev], tmp_path: Path, mongo: EmbeddedMongo, database: object
) -> None:
    """With --mongo-uri no mongod is started; variables that the command sets itself are ignored."""
    started = dev(
        "--data", str(tmp_path / "data"), "--mongo-uri", mongo.uri, MASTER_KEY="nonsense", LISTEN="x"
    )
    started.wait_until_ready()

    assert 1 == len(started.children())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--host", "0.0.0.0"], "listens on loopback addresses only, not on 0.0.0.0"),  # noqa: S104  (refused)
        (["--host", "192.0.2.1"], "loopback addresses only"),
        (["--host", "example.org"], "loopback addresses only"),
        (
            ["--data", "/dev/null/x"],
            "cannot use /dev/null/x: Not a directory; name another folder with --data",
        ),
    ],
)
def test_refuses_in_one_line(tmp_path: Path, arguments: list[str], says: str) -> None:
    """Exit code 2, and what to do instead."""
    finished = subprocess.run(
        [
            sys.executable,
            "-m",
            "service",
            "dev",
            "--port",
            str(free_port()),
            "--data",
            str(tmp_path),
            *arguments,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert 2 == finished.returncode
    assert says in finished.stderr
    assert 1 == len(finished.stderr.splitlines())


@pytest.mark.parametrize("port", ["99999", "0", "-1"])
def test_says_which_ports_there_are(tmp_path: Path, port: str) -> None:
    """Instead of calling one that cannot exist taken."""
    finished = subprocess.run(
        [sys.executable, "-m", "service", "dev", "--data", str(tmp_path), f"--port={port}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert 2 == finished.returncode
    assert f"{port} is not in the range 1<=x<=65535" in finished.stderr
    assert "not free" not in finished.stderr


def test_refuses_a_port_that_is_taken(dev: Callable[..., Dev], tmp_path: Path) -> None:
    """Before it starts anything."""
    started = dev("--data", str(tmp_path / "one"))
    started.wait_until_ready()

    finished = subprocess.run(
        [
            sys.executable,
            "-m",
            "service",
            "dev",
            "--port",
            str(started.port),
            "--data",
            str(tmp_path / "two"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (2, True) == (finished.returncode, "choose another port with --port" in finished.stderr)


def test_never_makes_a_new_key_for_old_data(dev: Callable[..., Dev], tmp_path: Path) -> None:
    """A lost key is reported, not replaced: a new one could not decrypt the data."""
    first = dev("--data", str(tmp_path / "data"))
    first.wait_until_ready()
    first.stop()
    (tmp_path / "data" / "master_key").unlink()

    second = dev("--data", str(tmp_path / "data"))

    assert 2 == second.process.wait(60)
    assert "holds data but no master_key" in second.log.read_text()
    assert not (tmp_path / "data" / "master_key").exists()


def test_says_what_to_do_where_there_is_no_mongod(tmp_path: Path) -> None:
    """If the package has none for the platform: use another server, or a mongod on PATH."""
    finished = subprocess.run(
        [sys.executable, "-c", NO_PACKAGE, "dev", "--port", str(free_port()), "--data", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PATH": "/nowhere"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert 2 == finished.returncode, finished.stderr
    assert "--mongo-uri" in finished.stderr
    assert "no mongod on PATH" in finished.stderr


# A double: this machine has the package, and a test must not uninstall it.
NO_PACKAGE = """
import importlib.metadata, sys
def missing(name): raise importlib.metadata.PackageNotFoundError(name)
importlib.metadata.files = missing
from service.cli import main
sys.exit(main())
"""
