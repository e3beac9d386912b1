"""A real OpenBao in development mode: on loopback and in memory, with a root token of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.gunicorn_server import free_port

ROOT_TOKEN = "root-hunter2"
MISSING = "OpenBao is missing: pip install -r tests/requirements.txt"
_SECONDS = 30
_ATTEMPTS = 5
# What a mount answers that was just made.
_NOT_READY = "Upgrading from non-versioned to versioned data"


class OpenBao:
    """A server at ``url``; with TLS if ``ca`` names the file of the CA that issued its certificate."""

    def __init__(self, url: str, ca: Path | None = None) -> None:
        self.url = url
        self.ca = ca

    def call(self, method: str, path: str, body: Any = None, token: str = ROOT_TOKEN) -> requests.Response:
        """Call a path below ``/v1/``, and return the answer, whatever it is."""
        return requests.request(
            method,
            f"{self.url}/v1/{path}",
            json=body,
            headers={"X-Vault-Token": token},
            timeout=_SECONDS,
            verify=True if self.ca is None else str(self.ca),
        )

    def do(self, method: str, path: str, body: Any = None) -> Any:
        """Do the same as the administrator, who succeeds, and return the answer's ``auth`` or ``data``."""
        end = time.monotonic() + _SECONDS
        while _NOT_READY in (answer := self.call(method, path, body)).text and time.monotonic() < end:
            time.sleep(0.02)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        document = answer.json() if answer.content else {}
        return document.get("auth") or document.get("data")

    def make_mount(self, version: int = 2, name: str | None = None) -> str:
        """Make a KV mount of its own, and return its name."""
        name = name or f"kv-{uuid.uuid4().hex[:12]}"
        self.do("POST", f"sys/mounts/{name}", {"type": "kv", "options": {"version": str(version)}})
        return name

    def write(self, mount: str, path: str, *versions: dict[str, Any], **metadata: Any) -> None:
        """Write these versions of a secret, oldest first; ``metadata`` is set before."""
        if metadata:
            self.do("POST", f"{mount}/metadata/{path}", metadata)
        for fields in versions:
            self.do("POST", f"{mount}/data/{path}", {"data": fields})

    def make_token(self, rules: dict[str, Sequence[str]], **options: Any) -> str:
        """Make a token with these capabilities by path, and return it."""
        made = self.do("POST", "auth/token/create", {"policies": [self._policy(rules)], **options})
        return str(made["client_token"])

    def make_role(self, rules: dict[str, Sequence[str]], **options: Any) -> tuple[str, str]:
        """Make an AppRole with these capabilities by path, and return its role id and a secret id."""
        if "approle/" not in self.do("GET", "sys/auth"):
            self.do("POST", "sys/auth/approle", {"type": "approle"})
        role = f"auth/approle/role/{uuid.uuid4().hex}"
        self.do("POST", role, {"token_policies": [self._policy(rules)], **options})
        role_id = self.do("GET", f"{role}/role-id")["role_id"]
        return role_id, self.do("POST", f"{role}/secret-id", {})["secret_id"]

    def _policy(self, rules: dict[str, Sequence[str]]) -> str:
        name = uuid.uuid4().hex
        # A policy in JSON is one in HCL as well.
        paths = {path: {"capabilities": list(rights)} for path, rights in rules.items()}
        self.do("POST", f"sys/policies/acl/{name}", {"policy": json.dumps({"path": paths})})
        return name


def program() -> str | None:
    """Return the path of ``bao``, on PATH or beside this interpreter; None if there is none."""
    return shutil.which("bao", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


def required_program() -> str:
    """Return the same; skip the test if there is none, and fail it in CI, which installs it."""
    bao = program()
    if bao is None:
        if os.environ.get("CI") == "true":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    return bao


@contextmanager
def running(folder: Path, *, tls: bool = False) -> Iterator[OpenBao]:
    """Run a server, with its log in ``folder``, if the program is there."""
    server, process = _started(required_program(), folder, tls=tls)
    try:
        yield server
    finally:
        process.terminate()
        process.wait(_SECONDS)


def _started(bao: str, folder: Path, *, tls: bool) -> tuple[OpenBao, subprocess.Popen[bytes]]:
    # It also takes the next port, which may be somebody's.
    for _ in range(_ATTEMPTS):
        port = free_port()
        log = folder / f"openbao-{port}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    *(bao, "server", "-dev", f"-dev-root-token-id={ROOT_TOKEN}", "-dev-no-store-token"),
                    f"-dev-listen-address=127.0.0.1:{port}",
                    *(("-dev-tls", f"-dev-tls-cert-dir={folder}") if tls else ()),
                ],
                cwd=folder,
                env={"HOME": str(folder), "PATH": os.environ["PATH"]},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        if _answers(process, url):
            return OpenBao(url, _ca(folder) if tls else None), process
    raise AssertionError(f"OpenBao does not start: {log.read_text()}")


def _answers(process: subprocess.Popen[bytes], url: str) -> bool:
    """Wait until it answers; return False if it has ended."""
    end = time.monotonic() + _SECONDS
    while process.poll() is None:
        assert time.monotonic() < end, f"no answer within {_SECONDS} s"
        try:
            # Its certificate is not known yet, and nothing is sent.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if requests.get(f"{url}/v1/sys/health", timeout=5, verify=False).ok:  # noqa: S501
                    return True
        except requests.ConnectionError:
            time.sleep(0.05)
    return False


def _ca(folder: Path) -> Path:
    (file,) = folder.glob("*-ca.pem")
    return file
