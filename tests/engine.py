"""Locks for this machine's Docker engine, which tests in several processes share."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# There is one engine per machine, so the locks are per machine as well.
LOCKS = Path("/run/lock")


@contextmanager
def being_set_up() -> Iterator[None]:
    """Hold the exclusive right to install the engine or build images."""
    with _locked("secret-manager-tests-set-up", fcntl.LOCK_EX):
        yield


@contextmanager
def needed() -> Iterator[None]:
    """Keep the engine running: no test kills it before this ends."""
    with _locked("secret-manager-tests-engine", fcntl.LOCK_SH):
        yield


@contextmanager
def to_be_killed() -> Iterator[None]:
    """Wait until no test needs the engine, and keep others from using it until this ends."""
    with _locked("secret-manager-tests-engine", fcntl.LOCK_EX):
        yield


@contextmanager
def _locked(name: str, kind: int) -> Iterator[None]:
    with (LOCKS / name).open("w") as file:
        fcntl.flock(file, kind)
        yield
