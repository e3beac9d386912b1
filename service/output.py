"""A standard output that says in one line why it cannot be written."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

from .errors import ConfigurationError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_DESCRIPTOR = 1


class _Output(io.RawIOBase):
    """Standard output; what is written after the first error is dropped."""

    def fileno(self) -> int:
        """Return the descriptor."""
        return _DESCRIPTOR

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return os.isatty(_DESCRIPTOR)

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Write some of the bytes, and return how many.

        Raises:
            ConfigurationError: the reader has ended, the disk is full, or standard output is closed.
        """
        try:
            return os.write(_DESCRIPTOR, data)
        except OSError as error:
            # Python writes what it still has when it exits.
            os.dup2(os.open(os.devnull, os.O_WRONLY), _DESCRIPTOR)
            if isinstance(error, BrokenPipeError):
                raise ConfigurationError("the program that reads the output ended before its end") from None
            raise ConfigurationError(f"cannot write to standard output: {error.strerror}") from None


def replace_stdout() -> None:
    """Let ``sys.stdout`` raise ``ConfigurationError`` for what the system refuses to write."""
    usual = sys.stdout
    output = io.BufferedWriter(_Output())
    if isinstance(usual, io.TextIOWrapper):
        # Where Python is told not to buffer, each line is written at once as well.
        at_once = usual.line_buffering or usual.write_through
        sys.stdout = io.TextIOWrapper(output, usual.encoding, usual.errors, line_buffering=at_once)
    else:
        # It is closed.  No other file may get its descriptor, and no command may seem to succeed.
        os.dup2(os.open(os.devnull, os.O_RDONLY), _DESCRIPTOR)
        sys.stdout = io.TextIOWrapper(output)
