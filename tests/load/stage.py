"""The service as the role ``vault_api`` runs it, with a real replica set of one node, for a benchmark.

It has the role's defaults: workers, threads, log level, tokens, audit and TLS for callers.  It reaches
MongoDB over a Unix socket, without TLS.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
import yaml

from service.dev.mongod import EmbeddedMongo
from tests.certificates import Authority
from tests.gunicorn_server import ROOT, Server

from .errors import Refused
from .wrk import Target

_DEFAULTS = ROOT / "roles/vault_api/defaults/main.yml"
_GIVEN = {"WORKERS": "vault_api_workers", "THREADS": "vault_api_threads", "LOG_LEVEL": "vault_api_log_level"}
# Few enough to be stored within the time limit of a call, even on a busy machine.
_BATCH = 10
_STOP_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Stage:
    """A service that is ready, and its database."""

    server: Server
    mongo: EmbeddedMongo
    target: Target
    variables: Mapping[str, str]

    def mebibytes(self) -> float:
        """Return the memory of the largest worker: its own, and its part of what is shared (PSS)."""
        return max(_pss(worker) for worker in self.server.workers()) / 2**20

    def operate(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run an operator's command on it; its progress is shown."""
        return _operate(self.variables, *arguments)

    def processor_seconds(self) -> float:
        """Return the processor time that the workers and the database have used so far, in seconds."""
        return sum(map(_processor_seconds, (*self.server.workers(), self.mongo.process.pid)))


@contextmanager
def stage(folder: Path, stored: int, *, tls: bool, changed: Mapping[str, str]) -> Iterator[Stage]:
    """Run the service in ``folder`` with ``stored`` secrets, and stop it; ``changed`` overrides variables.

    Raises:
        Refused: the secrets could not be stored.
    """
    with EmbeddedMongo(folder / "mongo") as mongo:
        authority = Authority(folder)
        file = str(authority.issue("api")) if tls else None
        variables = {
            "MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
            "MONGO_URI": mongo.uri,
            **defaults(),
            **changed,
        }
        served = {"TLS_CERT_FILE": file, "TLS_KEY_FILE": file} if file else {}
        server = Server({**variables, **served}, folder / "gunicorn.log", authority.file if tls else None)
        try:
            server.wait_until()
            token = _token(variables)
            target = Target(server.url, token, folder / "ids")
            target.ids.write_text("\n".join(_store(server, token, stored)))
            yield Stage(server, mongo, target, variables)
        finally:
            server.stop()


def defaults() -> dict[str, str]:
    """Return the role's default variables."""
    given = yaml.safe_load(_DEFAULTS.read_text())
    return {name: str(given[variable]) for name, variable in _GIVEN.items()}


def _token(variables: Mapping[str, str]) -> str:
    """Create a token that may create and fetch; it owns what it creates."""
    scopes = ("--scope", "create:*", "--scope", "fetch:*")
    made = _operate(variables, "token", "create", "--name", "load", *scopes)
    made.check_returncode()
    return made.stdout.strip()


def _operate(variables: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )


def _store(server: Server, token: str, count: int) -> Iterator[str]:
    with requests.Session() as session:
        for first in range(0, count, _BATCH):
            batch = [{"generate": {"length": 96}} for _ in range(min(_BATCH, count - first))]
            answer = session.post(
                f"{server.url}/vault/secret/create/batch",
                json={"secrets": batch},
                headers={"Authorization": f"Bearer {token}"},
                verify=server.verify,
                timeout=60,
            )
            stored = answer.json().get("secrets", [])
            if len(stored) != len(batch) or any("secret_id" not in one for one in stored):
                raise Refused(f"the secrets to fetch could not be stored: {answer.text}")
            yield from (one["secret_id"] for one in stored)


def _pss(process: int) -> int:
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    return sum(int(found) for found in re.findall(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)) * 1024


def _processor_seconds(process: int) -> float:
    # utime and stime (proc(5)), counted from after the name, which may contain spaces.
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
