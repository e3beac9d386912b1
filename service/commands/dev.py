"""``dev``: run a real MongoDB and the real API on this machine with one command and no configuration."""

from __future__ import annotations

import base64
import fcntl
import ipaddress
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import click

from ..crypto.aead import KEY_BYTES
from ..dev.mongod import EmbeddedMongo
from ..dev.processes import (
    StopSignal,
    describe_end,
    start_process,
    stop_process,
    wait_for_end,
    wait_until_ready,
)
from ..environment import Address, process_environment
from ..errors import ConfigurationError
from ..server.local_client import speaks_tls
from .base import Command

_GUNICORN_CONFIG = Path(__file__).parents[1] / "gunicorn.conf.py"
_START_SECONDS = 90
# How long the API of a `dev` that was killed may take to close its port.
_PORT_SECONDS = 3
# Set by this command; every other variable has the same meaning as in production.
_OWN = (
    *("MASTER_KEY", "MASTER_KEYS_DIR", "MASTER_KEY_PRIMARY", "MONGO_URI", "AUTH_REQUIRED", "LISTEN"),
    # Whoever uses it names no port.
    "HEALTH_SOCKET",
)


@click.command(
    cls=Command, help="Run the API and a private MongoDB on this machine, to try it out or to develop."
)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="where the API listens"
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="a loopback address, because there is no authentication",
)
@click.option(
    "--data",
    type=click.Path(readable=False, path_type=Path),
    default=Path(".dev"),
    show_default=True,
    help="folder for the data and the key",
)
@click.option("--mongo-uri", help="use this MongoDB replica set instead of the embedded one")
def command(port: int, host: str, data: Path, mongo_uri: str | None) -> int:
    """Serve until Ctrl-C, SIGTERM or SIGHUP, or until one of the two processes ends; then stop both.

    If this process is killed, the two end as well.

    Raises:
        ConfigurationError: it cannot start; the message says what to do.
    """
    stop = StopSignal()
    tls = speaks_tls(process_environment())
    address = Address(host, port)
    _require_loopback(address.host)
    _require_free(address)
    _make_private_folder(data)

    with ExitStack() as stack:
        stack.callback(os.close, _lock(data))
        key_file = _key_file(data)
        processes: dict[str, subprocess.Popen[bytes]] = {}
        mongo = None
        if mongo_uri is None:
            print(f"starting MongoDB in {data} ...", flush=True)
            mongo = stack.enter_context(EmbeddedMongo(data / "mongo"))
            mongo_uri, processes["MongoDB"] = mongo.uri, mongo.process
        print("starting the API ...", flush=True)
        api = _start_api(_environment(os.environ, address, key_file, mongo_uri))
        stack.callback(stop_process, api)
        processes["the API"] = api

        if wait_until_ready(address, _START_SECONDS, processes, stop, tls=tls):
            _print_welcome(f"{'https' if tls else 'http'}://{address}", data)
        died = wait_for_end(processes, stop)
        if died:
            ended = processes[died]
            if mongo is not None and ended is mongo.process:
                how = mongo.describe_end()
            else:
                how = describe_end(ended.returncode)
            print(f"secret-manager: {died} stopped by itself ({how}); stopping the rest", file=sys.stderr)
            return 1
        print("stopping ...", flush=True)
    return 0


def _require_loopback(host: str) -> None:
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ConfigurationError(
            f"dev has no authentication, so it listens on loopback addresses only, not on {host};"
            " for others to reach it, deploy it with site.yml"
        )


def _require_free(address: Address) -> None:
    end = time.monotonic() + _PORT_SECONDS
    while not _is_free(address):
        if time.monotonic() > end:
            raise ConfigurationError(f"{address} is not free: choose another port with --port")
        time.sleep(0.1)


def _is_free(address: Address) -> bool:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except (OSError, OverflowError):
            return False
    return True


def _make_private_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise ConfigurationError(
            f"cannot use {folder}: {error.strerror}; name another folder with --data"
        ) from None


def _lock(folder: Path) -> int:
    """Take the folder for this process, and return the descriptor that holds it."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ConfigurationError(
            f"another dev uses {folder}: stop it, or name another folder with --data"
        ) from None
    return descriptor


def _key_file(folder: Path) -> Path:
    """Return the file with the development key; create it if there is none yet."""
    file = folder / "master_key"
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        file.chmod(0o600)
        return file
    if (folder / "mongo" / "db").exists():
        file.unlink()
        raise ConfigurationError(
            f"{folder} holds data but no master_key, and a new key could not open it: put the key back,"
            " or start with another folder: --data"
        )
    try:
        with os.fdopen(descriptor, "wb") as key_file:
            key_file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
    except OSError as error:
        file.unlink()
        raise ConfigurationError(f"cannot write {file}: {error.strerror}") from None
    return file


def _environment(base: Mapping[str, str], address: Address, key_file: Path, uri: str) -> dict[str, str]:
    own = {name for plain in _OWN for name in (plain, f"{plain}_FILE")}
    return {name: value for name, value in base.items() if name not in own} | {
        "MASTER_KEY_FILE": str(key_file.resolve()),
        "MONGO_URI": uri,
        "AUTH_REQUIRED": "false",
        "LISTEN": str(address),
    }


def _start_api(environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return start_process(
        [sys.executable, "-m", "gunicorn", "-c", str(_GUNICORN_CONFIG), "service.dev.wsgi:app"],
        # The package's parent, whatever the caller's working directory is.
        _GUNICORN_CONFIG.parents[1],
        environment,
    )


def _print_welcome(base: str, data: Path) -> None:
    json = "-H 'Content-Type: application/json'"
    print(
        f"""
Ready: {base}  (documentation: {base}/docs)

Store a secret, then fetch it with the id that the first call returns:

  curl {base}/vault/secret/create/ {json} -d '{{"secret": "{base64.b64encode(b"hello").decode()}"}}'
  curl {base}/vault/secret/fetch {json} -d '{{"secret_id": "PASTE-THE-ID"}}'

For development only: no authentication, and the key lies beside the data in {data}. Ctrl-C stops it.
""",
        flush=True,
    )
