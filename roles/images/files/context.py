"""A build context as a tar archive that is the same, byte for byte, for the same content.

    context.py digest FOLDER...            prints the digest of what is in each, a line each
    context.py pack ARCHIVE FOLDER...      writes the archive, and prints its SHA-256

A ``FOLDER`` may be given as ``path=name`` to get another name in the archive; a file likewise.
Owners, times and modes are normalised, and what a working copy gathers (bytecode, hidden files)
stays out, so that an image's tag changes exactly when its content does.
"""

from __future__ import annotations

import hashlib
import io
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

LEFT_OUT = {"__pycache__", "node_modules"}


def files(argument: str) -> Iterator[tuple[str, Path]]:
    """Yield the name in the archive and the path of every file that ``argument`` stands for."""
    path, _, name = argument.partition("=")
    root = Path(path)
    if root.is_file():
        yield name or root.name, root
    for file in sorted(root.rglob("*")):
        inside = file.relative_to(root)
        if file.is_file() and not any(part in LEFT_OUT or part.startswith(".") for part in inside.parts):
            yield f"{name or root.name}/{inside.as_posix()}", file


def write(arguments: list[str], out: IO[bytes]) -> None:
    """Write the archive; one member after the other, because wheels are large."""
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, path in sorted(pair for argument in arguments for pair in files(argument)):
            member = tarfile.TarInfo(name)
            member.size = path.stat().st_size
            member.mode = 0o644
            with path.open("rb") as content:
                archive.addfile(member, content)


def main(arguments: list[str]) -> None:
    """Do what the arguments say."""
    match arguments:
        case ["digest", *folders]:
            for folder in folders:
                content = io.BytesIO()
                write([folder], content)
                sys.stdout.write(hashlib.sha256(content.getvalue()).hexdigest() + "\n")
        case ["pack", target, *folders]:
            unfinished = Path(target).with_suffix(".part")
            with unfinished.open("wb") as out:
                write(folders, out)
            unfinished.replace(target)
            with Path(target).open("rb") as archive:
                sys.stdout.write(hashlib.file_digest(archive, "sha256").hexdigest())
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
