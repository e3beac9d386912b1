"""The files in which the processes of a server count, in a folder of the server's own.

The processes are numbered, not named by their ids: a new worker goes on with the files of one that is gone,
so there are never more of them than processes at a time.

prometheus_client maps the files into memory.  Their space is taken beforehand: a process that writes to such
a file when the disk is full is killed with SIGBUS.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from ..errors import ConfigurationError

# The space of each process's files: more than all routes with all their statuses need, with room for a third
# more of them.  The 65 processes of the most workers need less than the 64 MiB that a container has.
SIZES = {"counter": 320 * 1024, "histogram": 448 * 1024, "gauge_mostrecent": 16 * 1024}
_PREFIX = "secret-manager-counters-"


class ProcessNumbers:
    """The numbers of a server's processes.

    ``own`` is this process's: 0 in the server, and in its workers what it has taken for them.
    """

    def __init__(self) -> None:
        self.own = 0
        self._taken = {self.own}

    def take(self) -> int:
        """Return the lowest number that no process has."""
        number = next(number for number in range(len(self._taken) + 1) if number not in self._taken)
        self._taken.add(number)
        return number

    def free(self, number: int) -> None:
        """Take back the number of a process that is gone."""
        self._taken.remove(number)


# Kept when gunicorn reads its settings again.
numbers = ProcessNumbers()


def open_folder(parent: Path | None, processes: int) -> None:
    """Make the folder, with space for so many processes, and remove it when this process exits.

    Folders that killed servers left in ``parent`` are removed as well; None stands for the temporary folder.
    Call it before prometheus_client makes its first metric.

    Raises:
        ConfigurationError: it cannot be made, or there is not enough space.
    """
    try:
        parent = parent or Path(tempfile.gettempdir())
        _remove_left(parent)
        folder = _make_held(parent)
        atexit.register(_remove, folder, os.getpid())
        for number in range(processes):
            allocate(folder, number)
    except OSError as error:
        raise ConfigurationError(
            f"no files for the metrics can be made in {parent or 'temporary folders'}: {error.strerror}; they"
            f" need {processes * sum(SIZES.values()) // 1024} KiB in /dev/shm (Docker: --shm-size), or where"
            " there is none, in TMPDIR"
        ) from None
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    from prometheus_client import values

    # The library's function is not annotated.
    values.ValueClass = values.MultiProcessValue(lambda: numbers.own)  # type: ignore[no-untyped-call]


def allocate(folder: Path, number: int) -> None:
    """Take the space of a process's files, unless an earlier process of this number has.

    Raises:
        OSError: there is not enough.
    """
    for kind, size in SIZES.items():
        file = folder / f"{kind}_{number}.db"
        if not file.exists():
            file.write_bytes(bytes(size))


def _make_held(parent: Path) -> Path:
    """Return a new folder that this process and those that it forks hold until the last of them ends."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        # Another server that starts just now may take it for one that was left.
        with suppress(FileNotFoundError):
            fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_EX)
            if folder.exists():
                return folder


def _remove_left(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        # Another user's, or just removed, or held.
        with suppress(PermissionError, FileNotFoundError, BlockingIOError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(descriptor)


def _remove(folder: Path, owner: int) -> None:
    """Remove the folder, unless this is a worker, which inherits what its server does at exit."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
