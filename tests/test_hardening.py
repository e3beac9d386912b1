"""hardening and environment.process_environment: what leaves no process of the service, with real ones."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.gunicorn_server import ROOT, Server

# A program that hardens itself as the commands do, and then does what stands in {}.
HARDENED = """
import os, subprocess, sys
from service.environment import process_environment
from service.hardening import harden_process
harden_process()
held = process_environment().text("MASTER_KEY", "")
{}
"""
KEY = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="


def test_no_process_of_the_server_dumps_core_or_gains_rights(server: Server) -> None:
    """Neither the master nor a worker."""
    for process in (server.process.pid, *server.workers()):
        assert_hardened(process)


def test_a_command_dumps_no_core_and_gains_no_rights(environment: dict[str, str]) -> None:
    """Looked at while it waits for standard input."""
    with running(
        [sys.executable, "-m", "service", "audit", "verify", "--checkpoint", "-"], environment
    ) as process:
        wait_until(lambda: status(process.pid, "NoNewPrivs") == "1")
        assert_hardened(process.pid)


def test_the_key_leaves_the_environment_of_the_server(server: Server, environment: dict[str, str]) -> None:
    """Of all its processes; and not even another process of the same user can look."""
    key = environment["MASTER_KEY"].encode()
    uri = environment["MONGO_URI"].encode()

    for process in (server.process.pid, *server.workers()):
        block = Path(f"/proc/{process}/environ").read_bytes() if os.geteuid() == 0 else b""
        assert key not in block
        assert uri not in block
        assert 0 != as_the_same_user("cat", f"/proc/{process}/environ").returncode
        assert 0 != as_the_same_user("head", "-c1", f"/proc/{process}/mem").returncode


def test_reloaded_settings_still_have_the_key(server: Server) -> None:
    """SIGHUP makes gunicorn read its settings again, in a process whose environment no longer has the key."""
    created = server.create("aGVsbG8=").json()["secret_id"]
    before = server.workers()

    server.process.send_signal(signal.SIGHUP)

    wait_until(lambda: set(before).isdisjoint(server.workers()) and len(server.workers()) == len(before))
    wait_until(lambda: fetched(server, created) == "aGVsbG8=")
    assert server.process.poll() is None


def test_no_child_process_has_the_key() -> None:
    """What a process starts after it has read the key cannot read it; the process itself still can."""
    program = HARDENED.format(
        "child = subprocess.run(['env'], capture_output=True, text=True)\n"
        "print(len(held), len(process_environment().text('MASTER_KEY', '')), child.stdout)"
    )

    shown = run(program).stdout

    assert shown.startswith(f"{len(KEY)} {len(KEY)} ")
    assert "PATH=" in shown
    assert KEY not in shown


def test_no_trace_of_the_key_stays_where_the_kernel_shows_the_environment() -> None:
    """``os.environ.pop`` alone would leave it there."""
    program = HARDENED.format("sys.stdout.write(open('/proc/self/environ').read())")
    if os.geteuid() != 0:
        pytest.skip("only root may read it of a hardened process")

    shown = run(program).stdout

    assert "MASTER_KEY=" in shown
    assert KEY not in shown


def test_a_crash_leaves_no_core_file(tmp_path: Path) -> None:
    """Even with a limit that allowed it before."""
    crash = "os.kill(os.getpid(), 11)"
    if not _dumps(tmp_path, f"import os\n{crash}"):
        pytest.skip("this machine's kernel writes no core file into the working directory")

    assert not _dumps(tmp_path, HARDENED.format(crash))


def assert_hardened(process: int) -> None:
    """Check what the kernel says of a process."""
    limits = Path(f"/proc/{process}/limits").read_text()
    assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE), limits
    assert "1" == status(process, "NoNewPrivs")
    # What lies below a process that cannot be dumped belongs to root, whoever runs it; as root this shows
    # only in what another process without capabilities may do.
    assert 0 != as_the_same_user("cat", f"/proc/{process}/environ").returncode


def status(process: int, field: str) -> str:
    """Return a field of /proc/PID/status."""
    found = re.search(rf"^{field}:\s+(\S+)$", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
    return found[1] if found else ""


def as_the_same_user(*command: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command with this user's rights; as root without the capabilities that reach everything."""
    without = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    return subprocess.run([*without, *command], capture_output=True, check=False)


def run(program: str) -> subprocess.CompletedProcess[str]:
    """Run a Python program that has a key in its environment."""
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "MASTER_KEY": KEY},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )


@contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a process that waits for its standard input, and end it."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until it holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def fetched(server: Server, secret_id: str) -> str | None:
    """Return the secret, or None while no worker answers."""
    try:
        return str(server.fetch(secret_id).json().get("secret"))
    except requests.RequestException:
        return None


def _dumps(folder: Path, program: str) -> bool:
    subprocess.run(
        [
            "bash",
            "-c",
            'ulimit -S -c unlimited; cd "$1"; exec "$2" -c "$3"',
            "-",
            folder,
            sys.executable,
            program,
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
        timeout=60,
    )
    found = [file for file in folder.iterdir() if file.name.startswith("core")]
    for file in found:
        file.unlink()
    return bool(found)
