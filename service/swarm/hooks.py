"""Runs the operator's program before and after a roll, with the old and the new value on descriptors."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from fcntl import F_DUPFD_CLOEXEC, fcntl
from pathlib import Path

from .errors import SwarmError

OLD_DESCRIPTOR, NEW_DESCRIPTOR = 3, 4
# Beyond those that the program has.
_FIRST_OWN = 10


class Moment(StrEnum):
    """When it is run: the program's only argument."""

    BEFORE = "before"
    AFTER = "after"
    FAILED = "failed"


class HookFailed(SwarmError):
    """The program cannot be run, or ended with another status than 0."""


@dataclass(frozen=True, slots=True)
class Values:
    """Two versions of the secret at a path, with their values."""

    path: str
    old_version: int
    new_version: int
    old: bytes = field(repr=False)
    new: bytes = field(repr=False)


def require_program(program: Path) -> None:
    """Check that there is a program to run.

    Raises:
        HookFailed: there is none.
    """
    if not (program.is_file() and os.access(program, os.X_OK)):
        raise HookFailed(f"the hook {program} is no executable file")


def run(program: Path, moment: Moment, values: Values) -> None:
    """Run the program and wait for its end; its output is the command's.

    The values are in anonymous files in memory, at their beginning: no pipe that would have to be emptied.

    Raises:
        HookFailed: it cannot be run, or fails.
    """
    environment = os.environ | {
        "SECRET_PATH": values.path,
        "OLD_VERSION": str(values.old_version),
        "NEW_VERSION": str(values.new_version),
    }
    with ExitStack() as stack:
        actions = [
            (os.POSIX_SPAWN_DUP2, _in_memory(stack, value), descriptor)
            for value, descriptor in ((values.old, OLD_DESCRIPTOR), (values.new, NEW_DESCRIPTOR))
        ]
        try:
            pid = os.posix_spawn(
                program,
                [str(program), moment],
                environment,
                file_actions=actions,
                # Python ignores this signal, and a shell cannot stop ignoring it.
                setsigdef=[signal.SIGPIPE],
            )
        except OSError as error:
            raise HookFailed(f"the hook {program} cannot be run: {error.strerror}") from None
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code:
        how = f"ended with status {code}" if code > 0 else f"was ended by signal {-code}"
        raise HookFailed(f"the hook failed: {program} {moment} {how}")


def _in_memory(stack: ExitStack, value: bytes) -> int:
    with os.fdopen(os.memfd_create("value"), "wb") as file:
        file.write(value)
        file.flush()
        descriptor = fcntl(file.fileno(), F_DUPFD_CLOEXEC, _FIRST_OWN)
    stack.callback(os.close, descriptor)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
