"""commands.dev: one command, a secret within a minute, and nothing left running behind."""

import fcntl
import os
import pty
import re
import signal
import stat
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests

from service.dev.mongod import EmbeddedMongo
from tests.gunicorn_server import ROOT, free_port


class Dev:
    """A running ``python -m service dev``."""

    def __init__(
        self,
        log: Path,
        *arguments: str,
        port: int | None = None,
        before: Sequence[str] = (),
        **environment: str,
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [*before, sys.executable, "-m", "service", "dev", "--port", str(self.port), *arguments],
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
        return children(self.process.pid)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder with a short name; pytest's are too long for sockets."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Callable[..., Dev]]:
    """Return a function that starts the command."""
    started: list[Dev] = []

    def start(*arguments: str, **options: Any) -> Dev:
        started.append(Dev(tmp_path / f"dev-{len(started)}.log", *arguments, **options))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def paste(line: str) -> str:
    """Run a line as a user's shell does, and return what it prints."""
    finished = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60, check=True)
    return finished.stdout


def children(process: int) -> list[int]:
    """Return the ids of the processes that all threads of this one have started, oldest first."""
    threads = Path(f"/proc/{process}/task").iterdir()
    found = (int(child) for thread in threads for child in (thread / "children").read_text().split())
    # By when they were started: ids begin again at some point.
    return sorted(
        found, key=lambda child: int(Path(f"/proc/{child}/stat").read_text().rsplit(")")[-1].split()[19])
    )


def wait_until_gone(processes: list[int]) -> None:
    """Wait until none of them runs; end them, and fail, if they go on."""
    end = time.monotonic() + 30
    while (left := running(processes)) and time.monotonic() < end:
        time.sleep(0.1)
    for process in left:
        os.kill(process, signal.SIGKILL)
    assert [] == left


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


def test_answers_to_names_of_this_machine_with_its_own_port(dev: Callable[..., Dev], tmp_path: Path) -> None:
    """No page can reach it by a name that leads here; the console and the documentation neither."""
    started = dev("--data", str(tmp_path / "data"), ALLOWED_HOSTS="vault.test")
    started.wait_until_ready()
    port, other = started.port, started.port + 1

    for host, status in {
        f"localhost:{port}": 200,
        f"127.0.0.1:{port}": 200,
        f"vault.test:{other}": 200,
        f"localhost:{other}": 421,
        "localhost": 421,
        f"rebound.example:{port}": 421,
        f"vault:{port}": 421,
        f"192.0.2.7:{port}": 421,
    }.items():
        for path in ("/healthz", "/console", "/docs", "/share"):
            answer = requests.get(started.url + path, headers={"Host": host}, timeout=10)
            assert status == answer.status_code, (host, path)
    assert f"with its own port {port}" in answer.json()["detail"]


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


def test_closing_the_terminal_stops_everything(tmp_path: Path) -> None:
    """The kernel sends SIGHUP, and what is printed from then on goes nowhere."""
    terminal, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "dev", "--port", str(free_port()), "--data", str(tmp_path)],
        cwd=ROOT,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(slave)
    printed = b""
    while b"Ready: " not in printed:
        printed += os.read(terminal, 65_536)
    started = children(process.pid)
    workers = children(started[1])

    os.close(terminal)

    process.wait(60)
    assert 2 == len(workers)
    wait_until_gone([*started, *workers])
    # Empty if mongod was stopped in order.
    assert "" == (tmp_path / "mongo" / "db" / "mongod.lock").read_text()


@pytest.mark.parametrize("also", [[], [0], [1], [0, 1]], ids=str)
def test_a_killed_parent_takes_all_with_it_and_the_next_start_works(
    dev: Callable[..., Dev], tmp_path: Path, also: list[int]
) -> None:
    """Whichever of its children the kernel kills as well; the same port and folder can be used at once."""
    data = str(tmp_path / "data")
    first = dev("--data", data)
    first.wait_until_ready()
    started = first.children()
    workers = children(started[1])

    first.process.kill()
    for each in also:
        os.kill(started[each], signal.SIGKILL)
    first.process.wait()
    second = dev("--data", data, port=first.port)

    second.wait_until_ready()
    assert 2 == len(workers)
    wait_until_gone([*started, *workers])


def test_a_parent_that_is_killed_while_it_starts_takes_all_with_it(
    dev: Callable[..., Dev], tmp_path: Path
) -> None:
    """At any moment: also between the two."""
    for seconds in (0.3, 0.6, 0.9, 1.2):
        started = dev("--data", str(tmp_path / "data"))
        time.sleep(seconds)
        before = children(started.process.pid)
        started.process.kill()
        started.process.wait()
        wait_until_gone(before)


def test_nothing_is_left_of_a_folder_with_a_long_name(
    dev: Callable[..., Dev], tmp_path: Path, temporary: Path
) -> None:
    """A socket's path may be 107 bytes long, so a longer one is reached over a link elsewhere."""
    data = tmp_path / ("long" * 30)
    first = dev("--data", str(data), TMPDIR=str(temporary))
    first.wait_until_ready()
    first.process.kill()
    first.process.wait()
    assert 1 == len(list(temporary.iterdir()))

    second = dev("--data", str(data), TMPDIR=str(temporary))
    second.wait_until_ready()
    assert 1 == len(list(temporary.iterdir()))
    second.stop()

    assert [] == list(temporary.iterdir())


@pytest.mark.parametrize("name", ["with blank", "a+b%20c", "ü,:@?&"])
def test_the_folder_may_have_any_name(dev: Callable[..., Dev], tmp_path: Path, name: str) -> None:
    """Also one that a connection string would need escapes for."""
    dev("--data", str(tmp_path / name)).wait_until_ready()


def test_needs_no_temporary_folder(
    dev: Callable[..., Dev], no_temporary_folder: list[str], tmp_path: Path
) -> None:
    """In a folder with a short name; for a long one it says what it needs."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        short = dev("--data", folder, before=no_temporary_folder)
        short.wait_until_ready()
        assert 0 == short.stop()

        long = dev("--data", f"{folder}/{'long' * 30}", before=no_temporary_folder)
        assert 2 == long.process.wait(60)
    _, line = long.log.read_text().splitlines()
    assert "no temporary folder can be made, which the long name" in line


def test_two_cannot_use_the_same_folder(dev: Callable[..., Dev], tmp_path: Path) -> None:
    """The second is refused at once, and the first goes on."""
    first = dev("--data", str(tmp_path / "data"))
    first.wait_until_ready()

    second = dev("--data", str(tmp_path / "data"))

    assert 2 == second.process.wait(10)
    assert f"another dev uses {tmp_path / 'data'}: stop it" in second.log.read_text()
    assert 200 == requests.get(f"{first.url}/readyz", timeout=10).status_code


def test_says_why_mongodb_stopped(dev: Callable[..., Dev], tmp_path: Path) -> None:
    """With the last errors of its log."""
    started = dev("--data", str(tmp_path / "data"))
    started.wait_until_ready()

    os.kill(started.children()[0], signal.SIGABRT)

    assert 1 == started.process.wait(60)
    (line,) = [line for line in started.log.read_text().splitlines() if "by itself" in line]
    assert "MongoDB stopped by itself (killed by SIGABRT; Got signal: 6 (Aborted).); stopping the" in line


def test_says_why_mongodb_does_not_start(dev: Callable[..., Dev], tmp_path: Path) -> None:
    """Data that is damaged, for example; in one line."""
    first = dev("--data", str(tmp_path / "data"))
    first.wait_until_ready()
    first.stop()
    (tmp_path / "data" / "mongo" / "db" / "WiredTiger.turtle").write_text("damaged")

    second = dev("--data", str(tmp_path / "data"))

    assert 2 == second.process.wait(60)
    _, line = second.log.read_text().splitlines()
    assert line.startswith("secret-manager: mongod stopped immediately (")
    assert "WiredTiger.turtle" in line


def test_says_that_the_disk_is_full(dev: Callable[..., Dev], small_disk: Path) -> None:
    """Whatever is written first; no half a key is left."""
    (small_disk / "fill").write_bytes(bytes(200 * 1024))
    with pytest.raises(OSError, match="No space left"):
        (small_disk / "more").write_bytes(bytes(10 * 1024 * 1024))

    full = dev("--data", str(small_disk / "data"))
    assert 2 == full.process.wait(60)
    (line,) = full.log.read_text().splitlines()
    assert "No space left on device" in line
    assert not (small_disk / "data" / "master_key").exists()

    (small_disk / "fill").unlink()
    nearly = dev("--data", str(small_disk / "data"))
    assert 2 == nearly.process.wait(60)
    _, line = nearly.log.read_text().splitlines()
    assert "mongod stopped immediately (" in line
    assert line.endswith(f"the disk is full); see {small_disk}/data/mongo/mongod.log")


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
