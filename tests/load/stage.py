"""The service as the role ``vault_api`` runs it, with a real replica set of one node, for a benchmark.

It has the role's defaults: workers, greenlets, log level, tokens, audit and TLS for callers.  It reaches
MongoDB over a Unix socket, without TLS.  And beside it the yardstick, on a database of its own.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml

from service.dev.mongod import EmbeddedMongo
from tests.certificates import Authority
from tests.gunicorn_server import ROOT, Server, free_port

from .contestants import Contestant, children, pss
from .errors import Refused
from .wrk import Target, wait_for

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
    root: Path

    def mebibytes(self) -> float:
        """Return the memory of the largest worker: its own, and its part of what is shared (PSS)."""
        return max(map(pss, self.server.workers())) / 2**20

    def operate(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run an operator's command on it; its progress is shown."""
        return _operate(self.variables, self.root, *arguments)

    def contestant(self, name: str) -> Contestant:
        """Return it as one of the programs that a benchmark compares."""
        kinds = ["healthz", "whoami", "create", "fetch", "mix", "batch"]
        if _delivers(self.root):
            kinds.append("deliver")
        if _speaks_kv(self.root):
            kinds += ["kv_write", "kv_read"]
        master = self.server.process.pid
        return Contestant(
            name, self.target, lambda: [*self.server.workers(), self.mongo.process.pid, master], kinds
        )


@contextmanager
def stage(
    folder: Path, stored: int, *, tls: bool, changed: Mapping[str, str], root: Path = ROOT
) -> Iterator[Stage]:
    """Run the service with its data in ``folder`` and ``stored`` secrets, and stop it.

    ``changed`` overrides variables; ``root`` is the checkout that it runs from.

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
        server = Server(
            {**variables, **served}, folder / "gunicorn.log", authority.file if tls else None, root
        )
        try:
            server.wait_until()
            token = _token(variables, root)
            if _delivers(root):
                _grant(variables, root)
            target = Target(server.url, token, folder / "ids")
            target.ids.write_text("\n".join(_store(server, token, stored)))
            yield Stage(server, mongo, target, variables, root)
        finally:
            server.stop()


@contextmanager
def yardstick(folder: Path, stored: int) -> Iterator[Contestant]:
    """Run the least that does the job, under gunicorn's own gevent worker, and stop it.

    Raises:
        Refused: it does not start.
    """
    port, log = free_port(), folder / "yardstick.log"
    folder.mkdir()
    with EmbeddedMongo(folder / "mongo") as mongo, log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--worker-class", "gevent", "--no-control-socket"),
                *("--workers", defaults()["WORKERS"], "--bind", f"127.0.0.1:{port}", "--keep-alive", "5"),
                "tests.load.yardstick:app",
            ],
            cwd=ROOT,
            env={**os.environ, "MONGO_URI": mongo.uri},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/healthz", process, log)
            target = Target(url, "", folder / "ids", "yardstick")
            target.ids.write_text("\n".join(_fill(url, stored)))
            yield Contestant(
                "yardstick",
                target,
                lambda: [*children(process.pid), mongo.process.pid, process.pid],
                ("healthz", "create", "fetch"),
            )
        finally:
            process.terminate()
            process.wait(_STOP_SECONDS)


def defaults() -> dict[str, str]:
    """Return the role's default variables."""
    given = yaml.safe_load(_DEFAULTS.read_text())
    return {name: str(given[variable]) for name, variable in _GIVEN.items()}


def _token(variables: Mapping[str, str], root: Path) -> str:
    """Create a token that may create, update, fetch and deliver; it owns what it creates."""
    # Vault's clients usually hold update as well, for which a write looks for the secret first.
    actions = ["create", "update", "fetch", *(["deliver"] if _delivers(root) else [])]
    scopes = [word for action in actions for word in ("--scope", f"{action}:*")]
    made = _operate(variables, root, "token", "create", "--name", "load", *scopes)
    made.check_returncode()
    return made.stdout.strip()


def _delivers(root: Path) -> bool:
    """Return whether this checkout has deliveries: another one may be older."""
    return (root / "service/secrets/deliver.py").exists()


def _speaks_kv(root: Path) -> bool:
    """Return whether this checkout answers Vault's clients, as above."""
    return (root / "service/api/kv").exists()


def _grant(variables: Mapping[str, str], root: Path) -> None:
    """Let the service that wrk.lua names have every secret."""
    _operate(variables, root, "grant", "create", "--service", "billing_api", "--path", "*").check_returncode()


def _operate(variables: Mapping[str, str], root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        cwd=root,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )


def _fill(url: str, count: int) -> Iterator[str]:
    for _ in range(count):
        answer = requests.post(f"{url}/create", json={"secret": "c2VjcmV0" * 16}, timeout=60)
        yield str(answer.json()["secret_id"])


def _store(server: Server, token: str, count: int) -> Iterator[str]:
    with requests.Session() as session:
        for first in range(0, count, _BATCH):
            # Numbered as the lines of the file of ids.
            numbers = range(first + 1, min(first + _BATCH, count) + 1)
            batch: Any = [{"path": f"load/{number}", "secret": _value()} for number in numbers]
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


def _value() -> str:
    """Return a value in base64, as Vault's clients store it: an object of fields."""
    return base64.b64encode(json.dumps({"value": secrets.token_urlsafe(96)}).encode()).decode()
