"""commands.health, which containers call."""

import math
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from service.commands import health_check
from service.errors import ConfigurationError
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
