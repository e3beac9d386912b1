"""A real OpenBao as a peer: KV version 2, raft on disk, an audit log in a file, plain HTTP on loopback."""

from __future__ import annotations

import json
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.gunicorn_server import free_port
from tests.openbao import MISSING, program

from .contestants import Contestant
from .errors import Refused
from .wrk import Target, wait_for

_CONFIGURATION = """
storage "raft" {{
  path = "{folder}/raft"
  node_id = "bench"
}}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  tls_disable = true
}}
audit "file" "file" {{
  options = {{
    file_path = "{folder}/audit.log"
  }}
}}
api_addr = "http://127.0.0.1:{port}"
cluster_addr = "http://127.0.0.1:{cluster_port}"
disable_mlock = true
log_level = "warn"
"""

# What a node answers that was just unsealed, and a mount that was just made.
_NOT_READY = (400, 500, 503)
_READY_SECONDS = 30


@contextmanager
def openbao(folder: Path, stored: int) -> Iterator[Contestant]:
    """Run a server in ``folder`` with ``stored`` secrets, and stop it.

    Raises:
        Refused: it is not installed, or does not start.
    """
    bao = program()
    if bao is None:
        raise Refused(MISSING)
    port, raft = free_port(), folder / "raft"
    raft.mkdir()
    configuration = folder / "openbao.hcl"
    configuration.write_text(_CONFIGURATION.format(folder=folder, port=port, cluster_port=free_port()))
    log = folder / "openbao.log"
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [bao, "server", f"-config={configuration}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(f"{url}/v1/sys/seal-status", process, log)
        token = _unseal(url)
        wait_for(f"{url}/v1/sys/health", process, log)
        target = Target(url, token, folder / "openbao.ids", "openbao")
        target.ids.write_text("\n".join(_store(url, token, stored)))
        kinds = ("healthz", "create", "kv_write", "fetch", "kv_read")
        yield Contestant("OpenBao", target, lambda: [process.pid], kinds)
    finally:
        process.terminate()
        process.wait(60)


def _unseal(url: str) -> str:
    made = _call("PUT", f"{url}/v1/sys/init", {"secret_shares": 1, "secret_threshold": 1})
    _call("PUT", f"{url}/v1/sys/unseal", {"key": made["keys_base64"][0]})
    return str(made["root_token"])


def _store(url: str, token: str, count: int) -> Iterator[str]:
    _call("POST", f"{url}/v1/sys/mounts/secret", {"type": "kv", "options": {"version": "2"}}, token)
    for number in range(count):
        name = f"stored-{number}"
        _call("POST", f"{url}/v1/secret/data/{name}", {"data": {"value": secrets.token_urlsafe(96)}}, token)
        yield name


def _call(method: str, url: str, body: dict[str, Any], token: str = "") -> Any:
    end = time.monotonic() + _READY_SECONDS
    while True:
        answer = requests.request(method, url, json=body, headers={"X-Vault-Token": token}, timeout=60)
        if answer.ok:
            return json.loads(answer.content or b"{}")
        if answer.status_code not in _NOT_READY or time.monotonic() > end:
            raise Refused(f"OpenBao refused {method} {url}: {answer.text}")
        time.sleep(0.1)
