"""Reads a folder of files, each of which is one secret, such as those of ``secrets:`` in a compose file.

A container sees only its own files, so the folder may also come as a tar archive.  A value is all bytes of
its file, the newline at the end included.
"""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ...errors import ImportFormatError
from .line import Line, LineError, named_line

UNIT = "file"


def is_tar(content: bytes) -> bool:
    """Return whether this is a tar archive, which says so in its first header (POSIX.1-1988, ustar)."""
    return content[257:262] == b"ustar"


def read(folder: Path) -> Iterator[Line]:
    """Yield the secret or the error of each file below a folder, sorted by path and numbered.

    Raises:
        ImportFormatError: something cannot be read.
    """
    try:
        for number, path in enumerate(sorted(_files(folder)), 1):
            regular = path.is_file() and not path.is_symlink()
            name = path.relative_to(folder).as_posix()
            yield _line(number, name, path.read_bytes() if regular else None)
    except OSError as error:
        raise ImportFormatError(f"cannot read what is in the folder: {error.strerror}") from None


def read_tar(content: bytes) -> Iterator[Line]:
    """Yield the secret or the error of each file in a tar archive, in its order and numbered.

    Raises:
        ImportFormatError: the archive is damaged.
    """
    number = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            for member in archive:
                if member.isdir():
                    continue
                number += 1
                # Only what is in memory is read: nothing is unpacked to a disk.
                file = archive.extractfile(member) if member.isreg() else None
                name = PurePosixPath(member.name).as_posix()
                yield _line(number, name, None if file is None else file.read())
            # tarfile takes a header that is cut off or damaged for the end; there, a block of zeros is.
            if content[archive.offset : archive.offset + tarfile.BLOCKSIZE] != bytes(tarfile.BLOCKSIZE):
                raise EOFError
    except (tarfile.TarError, EOFError, OSError):
        raise ImportFormatError("the tar archive is damaged") from None


def _files(folder: Path) -> Iterator[Path]:
    """Yield what is no folder; links to folders are not followed."""
    for parent, folders, files in os.walk(folder, onerror=_fail):
        yield from (Path(parent, name) for name in files)
        yield from (path for name in folders if (path := Path(parent, name)).is_symlink())


def _fail(error: OSError) -> None:
    # By default, what cannot be read would be left out without a word.
    raise error


def _line(number: int, name: str, value: bytes | None) -> Line:
    """Return the secret in a file; None stands for a link, a pipe and the like."""
    line = named_line(number, name, value or b"")
    if isinstance(line, LineError):
        return line
    if any(part.startswith(".") for part in name.split("/")):
        return LineError(
            number, f"{name}: a name with a dot in front is no secret's: move it away, or rename it"
        )
    if value is None:
        return LineError(number, f"{name}: neither a file nor a folder: put a copy in the place of a link")
    return line
