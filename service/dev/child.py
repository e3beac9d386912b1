"""``child.py PARENT PROGRAM ARGUMENT…``: run a program that ends with the process that started it.

PARENT is the id of that process.  However it ends, by SIGKILL or for lack of memory too, the kernel sends the
program SIGTERM.  On other systems than Linux the program goes on.

It is started by its path, from any folder, so it imports nothing of the service.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

# From Linux's <sys/prctl.h>.
_PR_SET_PDEATHSIG = 1
CANNOT_RUN = 126


def main(parent: int, command: list[str]) -> None:
    """Become the program; exit with 126 if that is not possible."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGTERM))
    # For one that has ended already there is no signal any more.
    if os.getppid() != parent:
        sys.exit(CANNOT_RUN)
    # Python ignores it, and a program would inherit that.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execv(command[0], command)  # noqa: S606  (no shell)
    except OSError:
        sys.exit(CANNOT_RUN)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
