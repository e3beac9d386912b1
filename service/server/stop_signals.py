"""Signals that stop a worker, blocked from its fork until it has handlers of its own.

With the server's handlers, which it inherits, it would put them into its copy of the server's queue, and
never read them: the server would wait for it until the time is up, and kill it.
"""

from __future__ import annotations

import os
import signal

_STOP = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGQUIT})


def block() -> None:
    """Block them, in this process and in the worker that it forks next."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)


def unblock() -> None:
    """Unblock them; pending ones are handled at once."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP)


def unblock_after_forks() -> None:
    """Unblock them in this process after each fork; call it once."""
    os.register_at_fork(after_in_parent=unblock)
