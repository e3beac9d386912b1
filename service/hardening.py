"""Keeps what is in a process's memory there: no core dump, no other reader, no new rights."""

from __future__ import annotations

import ctypes
import os
import resource
import sys

# From Linux's <sys/prctl.h>.
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38


def harden_process() -> None:
    """Forbid core dumps and new rights for this process, and close it to others of its user.

    Children inherit all but one thing: a program that they start can be read by others again until it calls
    this itself.  Elsewhere than on Linux only the limit on core files applies.
    """
    # For a core dump that goes to a file.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        # For one that goes to a program, which no limit stops; with this, only root reads /proc/PID/environ
        # and memory, or attaches a debugger.
        _prctl(_PR_SET_DUMPABLE, 0)
        # No program with a set-user-ID bit or with capabilities of its own gives this process any right.
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def _prctl(option: int, value: int) -> None:
    # prctl reads unsigned longs; the kernel refuses other values than 0 in those that have no use.
    arguments = [ctypes.c_ulong(argument) for argument in (value, 0, 0, 0)]
    if ctypes.CDLL(None, use_errno=True).prctl(option, *arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"prctl {option}: {os.strerror(error)}")


def erase_variable(name: str) -> None:
    """Remove a variable from this process's environment, and from the memory behind ``/proc/PID/environ``.

    ``os.environ.pop`` alone leaves that memory as it was when the process started.
    """
    getenv = ctypes.CDLL(None).getenv
    getenv.restype = ctypes.c_void_p
    if value := getenv(os.fsencode(name)):
        ctypes.memset(value, 0, len(ctypes.string_at(value)))
    os.environ.pop(name, None)
