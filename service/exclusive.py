"""Work that one caller at a time may ask for, whichever process of a replica the call reaches."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import TooManyRequests

_RETRY_SECONDS = 10


class Exclusive:
    """Holds one caller at a time, among all processes that share ``folder``; without one, in this process.

    ``doing`` says what is being done, for the message to the others.
    """

    def __init__(self, folder: Path | None, name: str, doing: str) -> None:
        self._file = None if folder is None else folder / f"{name}.lock"
        self._doing = doing
        self._lock = threading.Lock()

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep others out while the ``with`` runs.

        Raises:
            TooManyRequests: there is one already.
        """
        if not self._lock.acquire(blocking=False):
            raise self._busy()
        try:
            if self._file is None:
                yield
                return
            with self._file.open("w") as file:
                try:
                    # Ends with the process, however that ends.
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise self._busy() from None
                yield
        finally:
            self._lock.release()

    def _busy(self) -> TooManyRequests:
        return TooManyRequests(
            f"{self._doing} for another caller: wait as long as Retry-After says", _RETRY_SECONDS
        )
