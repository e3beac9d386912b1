"""Takes from this process what it does not need: core dumps, readers, new rights, capabilities.

The same as the service's own ``hardening``, which this package does not import, and the capabilities: the
engine gives a managed plugin those of an ordinary container, whatever its ``config.json`` says.
"""

from __future__ import annotations

import ctypes
import os
import resource

# From Linux's <sys/prctl.h> and <linux/capability.h>.
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION_3 = 0x20080522


def drop_rights() -> None:
    """Forbid core dumps, other readers than root and new rights, and give all capabilities back.

    Raises:
        OSError: the kernel refuses.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    for option, value in ((_PR_SET_DUMPABLE, 0), (_PR_SET_NO_NEW_PRIVS, 1)):
        # prctl reads unsigned longs.
        _require_success(libc.prctl(option, *map(ctypes.c_ulong, (value, 0, 0, 0))))
    # Of this process; then effective, permitted and inheritable ones, in two halves.
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _require_success(libc.capset(header, (ctypes.c_uint32 * 6)()))


def _require_success(result: int) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
