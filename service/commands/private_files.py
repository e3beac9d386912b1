"""Files that hold one passphrase or credential."""

from __future__ import annotations

import sys
from pathlib import Path

from ..environment import read_file
from ..errors import ConfigurationError


def private_file(option: str, file: str) -> bytes:
    """Return what is in the file that an option names, without the line break at its end.

    Raises:
        ConfigurationError: the file is empty or cannot be read.
    """
    # Opening a pipe by this name fails if another user created it, as in a container.
    content = sys.stdin.buffer.read() if file == "/dev/stdin" else read_file(option, Path(file))
    content = content.removesuffix(b"\n").removesuffix(b"\r")
    if not content:
        raise ConfigurationError(f"{option}: the file is empty")
    return content
