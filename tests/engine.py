"""Who may do what to this machine's engine, when tests in several processes use it at once."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The engine is the machine's, so the locks are as well.
LOCKS = Path("/run/lock")


@contextmanager
def being_set_up() -> Iterator[None]:
    """Be the only one that installs an engine or makes images."""
    with _locked("secret-manager-tests-set-up", fcntl.LOCK_EX):
        yield


@contextmanager
def needed() -> Iterator[None]:
    """Have it go on running: it is not killed before this ends."""
    with _locked("secret-manager-tests-engine", fcntl.LOCK_SH):
        yield


@contextmanager
def to_be_killed() -> Iterator[None]:
    """Wait until nobody needs it, and have nobody start to until this ends."""
    with _locked("secret-manager-tests-engine", fcntl.LOCK_EX):
        yield


@contextmanager
def _locked(name: str, kind: int) -> Iterator[None]:
    with (LOCKS / name).open("w") as file:
        fcntl.flock(file, kind)
        yield
