"""Files that are complete or not there."""

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
    """Write a file that only its owner can read; it gets its name once all of it is on the disk.

    Raises:
        ConfigurationError: there is one of this name, which stays as it is, or it cannot be written.
    """
    if path.exists():
        # Said before the work; below, nobody can come in between.
        raise ConfigurationError(f"{path} is there already: name another file, or move it away")
    try:
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.") as file:
            yield cast(BinaryIO, file)
            file.flush()
            os.fsync(file.fileno())
            # Unlike renaming, this replaces nothing.
            os.link(file.name, path)
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}") from None
