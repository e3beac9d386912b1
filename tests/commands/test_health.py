"""commands.health, which containers call."""

import math
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
import requests

from service.commands import health_check
from service.dev.mongod import EmbeddedMongo
from service.errors import ConfigurationError
from tests.certificates import Authority
from tests.commands.operator import operate
from tests.gunicorn_server import Server, free_port
from tests.programs import as_text


def run(environment: dict[str, str], *arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the service."""
    return as_text(operate(environment, *arguments, **changed))


def test_health_asks_the_local_process(serve: Callable[..., Server], environment: dict[str, str]) -> None:
    """0 if it answers; 2 and one line if nothing does."""
    server = serve()
    server.wait_until("/healthz")

    assert 0 == run(environment, "health", LISTEN=f"0.0.0.0:{server.port}").returncode
    finished = run(environment, "health", LISTEN=f"127.0.0.1:{free_port()}")
    assert (2, True) == (finished.returncode, "no answer on 127.0.0.1:" in finished.stderr)


def test_health_has_a_way_of_its_own(
    own_mongo: EmbeddedMongo, serve: Callable[..., Server], environment: dict[str, str], tmp_path: Path
) -> None:
    """While every place is taken by requests that wait for the database; only this user can use it."""
    path = tmp_path / "health.sock"
    server = serve(
        WORKERS="1",
        THREADS="2",
        MONGO_URI=own_mongo.uri,
        MONGO_TIMEOUT_SECONDS="20",
        HEALTH_SOCKET=str(path),
    )
    server.wait_until()
    own_mongo.process.send_signal(signal.SIGSTOP)
    try:
        with ExitStack() as stack:
            for number in range(20):
                caller = socket.create_connection(
                    ("127.0.0.1", server.port), source_address=(f"127.0.0.{1 + number % 2}", 0)
                )
                stack.enter_context(caller).sendall(
                    b"POST /vault/secret/fetch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                    b'Content-Length: 13\r\n\r\n{"path": "a"}'
                )
            time.sleep(0.5)
            with pytest.raises(requests.Timeout):
                requests.get(f"{server.url}/healthz", timeout=2)
            assert 0 == run(environment, "health", HEALTH_SOCKET=str(path)).returncode
            assert 0 == stat.S_IMODE(path.stat().st_mode) & 0o077
    finally:
        own_mongo.process.send_signal(signal.SIGCONT)
    server.stop()

    finished = run(environment, "health", HEALTH_SOCKET=str(path))
    assert (2, True) == (finished.returncode, f"no answer on {path}: " in finished.stderr)


def test_health_s_own_way_is_plain_http(
    serve: Callable[..., Server], environment: dict[str, str], authority: Authority, tmp_path: Path
) -> None:
    """Whether or not the port speaks TLS."""
    file, path = str(authority.issue("health")), str(tmp_path / "health.sock")
    server = serve(authority.file, TLS_CERT_FILE=file, TLS_KEY_FILE=file, HEALTH_SOCKET=path)
    server.wait_until("/healthz")

    assert 0 == run(environment, "health", TLS_CERT_FILE=file, HEALTH_SOCKET=path).returncode


def test_health_watches_after_the_first_success(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Once at first, so that a new container counts soon; then on and on, until the first failure."""
    server = serve()
    server.wait_until("/healthz")
    monkeypatch.setenv("LISTEN", f"127.0.0.1:{server.port}")
    seen = tmp_path / "seen"
    watch = partial(health_check.watch_health, str(seen), seconds=30, pause=0.01)

    watch()
    assert seen.exists()
    with ThreadPoolExecutor() as threads:
        watching = threads.submit(watch)
        time.sleep(0.1)
        assert not watching.done()
        server.stop()
        with pytest.raises(ConfigurationError):
            watching.result(10)
    # What follows is a new beginning.
    assert not seen.exists()


def test_health_checks_once_if_it_can_keep_no_file(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As in a container without a /tmp of its own."""
    server = serve()
    server.wait_until("/healthz")
    monkeypatch.setenv("LISTEN", f"127.0.0.1:{server.port}")

    for _ in range(2):
        health_check.watch_health(str(tmp_path / "absent" / "seen"), seconds=math.inf)
    assert [] == list(tmp_path.glob("absent*"))
