"""The newest checkpoint that a node has seen, in a file: who can write to the database cannot change it."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import ConfigurationError, Tampered
from . import checkpoints
from .checkpoints import Checkpoint

_NAME = "checkpoint.json"


class AnchorFile:
    """One line in ``folder``, as the service's log has it; all processes of a node share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / _NAME

    def read(self) -> Checkpoint | None:
        """Return the checkpoint, or None if none was kept yet.

        Raises:
            Tampered: the file cannot be read, or is not what ``replace`` wrote.
        """
        try:
            return checkpoints.from_json(json.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Tampered(f"{self._path} cannot be read: {error.strerror}") from None
        except (ValueError, Tampered):
            raise Tampered(f"{self._path} does not hold a checkpoint") from None

    def replace(self, before: Checkpoint | None, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint in place of ``before``; if another process has replaced that, do nothing.

        Raises:
            ConfigurationError: it cannot be written.
        """
        new = self._folder / f"{_NAME}.new"
        try:
            with self._locked() as folder:
                if self.read() != before:
                    return
                with new.open("w") as file:
                    file.write(json.dumps(checkpoints.to_json(checkpoint)) + "\n")
                    file.flush()
                    os.fsync(file.fileno())
                new.replace(self._path)
                os.fsync(folder)
        except OSError as error:
            raise ConfigurationError(
                f"AUDIT_ANCHOR_DIR: cannot write in {self._folder}: {error.strerror}"
            ) from None

    def is_writable(self) -> bool:
        """Return whether this process may write there."""
        return os.access(self._folder, os.W_OK | os.X_OK)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield folder
        finally:
            # Closing would do, but gevent postpones it: the next caller in this process would wait forever.
            fcntl.flock(folder, fcntl.LOCK_UN)
            os.close(folder)
