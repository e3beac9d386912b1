"""A real gunicorn with the production configuration, in its own process."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).parents[1]
# The library keeps connections open until its objects are collected, and a server that stops waits two
# seconds for a kept connection.
LAST = {"Connection": "close"}


def command(root: Path) -> list[str]:
    """Return what starts the server of a checkout, from whatever folder."""
    return [
        sys.executable,
        "-m",
        "gunicorn",
        "-c",
        str(root / "service/gunicorn.conf.py"),
        "service.wsgi:app",
    ]


class From(requests.adapters.HTTPAdapter):
    """Calls from this address of the loopback interface."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, source_address=(self._address, 0))


class Server:
    """A server with ``environment`` (None removes a variable), which logs to ``log``.

    If the environment makes it serve TLS, ``ca`` is the CA file to verify its certificate with.  ``root`` is
    the checkout that it runs from, ``folder`` the working directory if it is another, and ``before`` is what
    the command begins with.
    """

    def __init__(
        self,
        environment: Mapping[str, str | None],
        log: Path,
        ca: Path | None = None,
        root: Path = ROOT,
        folder: Path | None = None,
        before: Sequence[str | Path] = (),
    ) -> None:
        self.port = free_port()
        self.url = f"{'https' if ca else 'http'}://127.0.0.1:{self.port}"
        self.verify = str(ca) if ca else True
        self.log = log
        variables = {**os.environ, "LISTEN": f"127.0.0.1:{self.port}", **environment}
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [*before, *command(root)],
                cwd=folder or root,
                env={name: value for name, value in variables.items() if value is not None},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_until(self, path: str = "/readyz", status: int = 200, seconds: float = 60) -> requests.Response:
        """Return the first response of ``path`` with ``status``."""
        end = time.monotonic() + seconds
        last: object = None
        while time.monotonic() < end and self.process.poll() is None:
            try:
                response = requests.get(self.url + path, headers=LAST, timeout=20, verify=self.verify)
                if response.status_code == status:
                    return response
                last = response.text
            except requests.ConnectionError as error:
                last = error
            time.sleep(0.1)
        raise AssertionError(f"{path} did not answer {status}; last: {last}; log: {self.log.read_text()}")

    def create(self, secret: str = "aGVsbG8=", **options: Any) -> requests.Response:
        """Create a secret."""
        return self.post("/vault/secret/create/", {"secret": secret}, **options)

    def fetch(self, secret_id: str, **options: Any) -> requests.Response:
        """Fetch a secret."""
        return self.post("/vault/secret/fetch", {"secret_id": secret_id}, **options)

    def post(self, path: str, body: Any, **options: Any) -> requests.Response:
        """Send ``body`` as JSON with POST."""
        options["headers"] = LAST | options.get("headers", {})
        return requests.post(self.url + path, json=body, timeout=60, **{"verify": self.verify} | options)

    def log_lines(self) -> list[dict[str, Any]]:
        """Return the log so far; every line must be JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def workers(self) -> list[int]:
        """Return the process ids of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(child) for child in children.read_text().split()]

    def stop(self) -> int:
        """Stop it with SIGTERM, as an orchestrator does, and return its exit code."""
        self.begin_to_stop()
        return self.process.wait(60)

    def begin_to_stop(self) -> None:
        """Send SIGTERM, and do not wait."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)


def free_port() -> int:
    """Return a port that no process listens on.

    It is below those that the system gives to outgoing connections, of which other tests make thousands: one
    of these could take it before the server does.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_768)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
