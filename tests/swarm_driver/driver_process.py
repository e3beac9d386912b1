"""The real driver in its own process, and the engine's side of its socket."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.gunicorn_server import ROOT

TOKEN = "smt_0f3a5b7c9d1e2f40_" + "5a" * 36
GET_SECRET = "/SecretProvider.GetSecret"
# As an engine sends it; swarmkit's SecretsProviderRequest.
CALL = {
    "SecretName": "db.v7",
    "SecretLabels": {"secret-manager.path": "team/app/db", "secret-manager.version": "7"},
    "ServiceHostname": "",
    "ServiceName": "billing_api",
    "ServiceID": "s5vcyhqqpjd3yvkeuhxyyrmgb",
    "ServiceLabels": {"com.docker.stack.namespace": "billing"},
    "TaskID": "t0z1jkbbzqdyxo1m3ziwdm6z7",
    "TaskName": "billing_api.1.t0z1jkbbzqdyxo1m3ziwdm6z7",
    "TaskImage": "billing:1@sha256:" + "0" * 64,
    "ServiceEndpointSpec": {},
    "NodeID": "n1fjc4kdbkq2zzxdhhvqvq7lq",
}


@dataclass(frozen=True)
class Answered:
    """What the driver answered, and after how many seconds."""

    status: int
    document: dict[str, Any]
    seconds: float
    content_type: str | None = None


class UnixConnection(http.client.HTTPConnection):
    """An HTTP connection to a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("", timeout=10)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)

    def ask(self, body: Any = CALL, target: str = GET_SECRET, method: str = "POST") -> Answered:
        """Make one call; bytes are sent as they are."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        started = time.monotonic()
        headers = {"Accept": "application/vnd.docker.plugins.v1.2+json"}
        self.request(method, target, raw, headers)
        with self.getresponse() as response:
            document = json.loads(response.read())
            return Answered(
                response.status,
                document,
                time.monotonic() - started,
                response.headers["Content-Type"],
            )


class DriverProcess:
    """A driver that runs; ``folder`` is its configuration, ``output`` what it wrote since a test began.

    Its timer renews the token within five seconds after the start, whatever a test does meanwhile.
    """

    def __init__(self, directory: Path, ca: Path | None = None) -> None:
        directory.mkdir(exist_ok=True)
        self.socket = directory / "driver.sock"
        self.folder = directory / "configuration"
        self.folder.mkdir(exist_ok=True)
        self._ca = ca
        self._log = directory / "log"
        self._seen = 0
        self._configure()
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "service.swarm_driver"),
                    *("--socket", str(self.socket), "--folder", str(self.folder)),
                ],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait()

    def is_as_new(self) -> bool:
        """Return whether it runs, and no failure to reach a vault makes it refuse calls."""
        return self.process.poll() is None and all(line["breaker"] == "closed" for line in self.lines[-1:])

    def begin_anew(self) -> None:
        """Bring the configuration folder into the state of the start, and forget the output so far."""
        for file in self.folder.iterdir():
            file.unlink()
        self._configure()
        self._seen = len(self._log.read_text())

    def _configure(self) -> None:
        if self._ca:
            (self.folder / "ca.pem").write_bytes(self._ca.read_bytes())
        self.set_token(TOKEN)

    def _wait(self) -> None:
        end = time.monotonic() + 30
        while time.monotonic() < end and self.process.poll() is None:
            if "started" in self.output:
                return
            time.sleep(0.02)
        raise AssertionError(f"the driver did not start: {self.output}")

    @property
    def output(self) -> str:
        return self._log.read_text()[self._seen :]

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines about calls; every line of the log is JSON."""
        lines = [json.loads(line) for line in self.output.splitlines()]
        return [line for line in lines if line["event"] == "call"]

    def set_token(self, token: str, mode: int = 0o600) -> None:
        file = self.folder / "token"
        file.write_text(token + "\n")
        file.chmod(mode)

    def set_addresses(self, *addresses: str, **settings: Any) -> None:
        # As a playbook does it: a file is whole or not there.
        written = self.folder / "driver.json.new"
        written.write_text(json.dumps({"addresses": addresses, **settings}))
        written.rename(self.folder / "driver.json")

    def connect(self) -> UnixConnection:
        return UnixConnection(self.socket)

    def ask(self, body: Any = CALL, target: str = GET_SECRET, method: str = "POST") -> Answered:
        """Make one call on a new connection."""
        connection = self.connect()
        try:
            return connection.ask(body, target, method)
        finally:
            connection.close()

    def send(self, *parts: bytes, pause: float = 0) -> bytes:
        """Send raw bytes, in parts with pauses between them, and return all until the driver closes."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(self.socket))
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
            return b"".join(iter(lambda: connection.recv(65_536), b""))

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it, and return its exit code."""
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        return self.process.wait(15)


def call(**changed: Any) -> dict[str, Any]:
    """Return a call with other fields than the usual; None leaves one out."""
    return {name: value for name, value in {**CALL, **changed}.items() if value is not None}


def percentile(values: Sequence[float], part: float) -> float:
    """Return the value below which ``part`` of them are."""
    return sorted(values)[min(int(len(values) * part), len(values) - 1)]
