"""The load: threads that create and fetch until they are stopped."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections import Counter
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass

from .client import Client, Stop
from .journal import Journal, Operation
from .targets import Api

SECRET_BYTES = (16, 2048)
_PROGRESS_SECONDS = 5

_random = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Load:
    """The load of ``run``: ``clients`` threads for ``seconds``, together ``rate`` operations per second.

    An operation may take ``give_up`` seconds; without a ``rate`` each client goes as fast as it can.
    """

    api: Api
    clients: int
    seconds: float
    give_up: float
    rate: float | None


class Pace:
    """Limits the rate at which operations begin to ``rate`` per second over all threads.

    Time that passes unused, as in an outage, is not caught up.
    """

    def __init__(self, rate: float | None) -> None:
        self._interval = 1 / rate if rate else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self, stop: Stop) -> bool:
        """Wait until the next operation may begin; return whether that is before the end."""
        with self._lock:
            moment = max(time.monotonic(), self._next)
            self._next = moment + self._interval
        while (left := min(moment - time.monotonic(), stop.remaining())) > 0:
            time.sleep(min(left, 0.1))
        return stop.remaining() > 0


class _Worker:
    """What the threads share; ``known`` is every acknowledged secret's id and digest."""

    def __init__(self, load: Load, journal: Journal, stop: Stop) -> None:
        self._load = load
        self._journal = journal
        self._stop = stop
        self._pace = Pace(load.rate)
        self._known: list[tuple[str, str]] = []
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def work(self) -> None:
        """Create a secret, fetch any acknowledged one, and repeat."""
        with Client(self._load.api, self._load.give_up, self._stop) as client:
            while self._pace.wait(self._stop):
                created = client.create(_random.randbytes(_random.randint(*SECRET_BYTES)))
                self._note(created)
                if created.acknowledged and created.id:
                    # Only ever appended to, so that picking from it needs no lock.
                    self._known.append((created.id, created.digest))
                if self._known and self._pace.wait(self._stop):
                    self._note(client.fetch(*_random.choice(self._known)))

    def _note(self, operation: Operation) -> None:
        self._journal.append(operation)
        with self._lock:
            self._counts["operations"] += 1
            self._counts["errors"] += operation.failed

    def say(self) -> None:
        """Print the progress."""
        print(
            f"{self._counts['operations']} operations, {self._counts['errors']} errors",
            file=sys.stderr,
            flush=True,
        )


def run(load: Load, journal: Journal, stop: Stop) -> None:
    """Put the load on the service until ``stop``; the journal then has every operation that was begun.

    Raises:
        OSError: the journal cannot be written, which ends the run.
    """
    worker = _Worker(load, journal, stop)
    with ThreadPoolExecutor(load.clients) as threads:
        running = {threads.submit(worker.work) for _ in range(load.clients)}
        while running:
            done, running = wait(running, _PROGRESS_SECONDS, FIRST_EXCEPTION)
            worker.say()
            if any(thread.exception() for thread in done):
                stop.ask()
                break
    for thread in done:
        thread.result()
