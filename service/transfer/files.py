"""Writes files atomically: they are complete, or they do not exist."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO, cast

from ..errors import ConfigurationError


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Write a file that only its owner can read; it gets its name when all of it is on disk.

    Raises:
        ConfigurationError: the file exists already, and stays as it is, or it cannot be written.
    """
    if path.exists():
        # Only to fail before the work; a file that is created after this is not replaced either, see below.
        raise ConfigurationError(f"{path} already exists: name another file, or move it away")
    try:
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.") as file:
            yield cast(BinaryIO, file)
            file.flush()
            os.fsync(file.fileno())
            # Unlike renaming, this replaces nothing.
            os.link(file.name, path)
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}") from None
