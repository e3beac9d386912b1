"""What every import has in common: how it is stopped, and what it says of itself."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from ..transfer.importing import Existing

FAILED = "failed"
INTERRUPTED = 130


@contextmanager
def stop_requested() -> Iterator[Callable[[], bool]]:
    """Let Ctrl-C and SIGTERM stop the import between two secrets, so that each one written has its record."""
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def how_to_go_on(existing: Existing) -> str:
    """Return how an import that was stopped is continued."""
    again = Existing.SKIP if existing is Existing.REFUSE else existing
    return f"run it again with --existing {again} to go on"


def counts(done: Mapping[str, int]) -> str:
    """Return how many secrets had which outcome."""
    return ", ".join(f"{what}: {count}" for what, count in done.items()) or "no secrets"
