"""Signals that end a worker, held back from its fork until it handles them.

Until then it would take them as the server does, into its copy of the server's queue, which it never reads:
the server would wait for it until it kills it.
"""

from __future__ import annotations

import os
import signal

_STOP = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGQUIT})


def hold() -> None:
    """Hold them back, in this process and in the worker that it forks next."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)


def release() -> None:
    """Let them arrive, those first that were held back."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP)


def release_after_forks() -> None:
    """Let them arrive in this process as soon as it has forked; call it once."""
    os.register_at_fork(after_in_parent=release)
