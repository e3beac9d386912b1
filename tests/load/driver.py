"""The bare driver's speed: one insert or find per call, with the service's guarantees, from threads."""

from __future__ import annotations

import statistics
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pymongo import MongoClient

from service.store import database as connection

from .wrk import Measured

_OPERATION_TIMEOUT = 30
# Approximately a stored secret of 96 bytes.
_DOCUMENT: dict[str, Any] = {
    "owner": "0f3a5b7c9d1e2f40",
    "tag": bytes(41),
    "current": 1,
    "created_by": "0f3a5b7c9d1e2f40",
    "versions": [{"version": 1, "payload": bytes(133), "data_key": bytes(69)}],
}


class Driver:
    """Works on its own collection."""

    def __init__(self, uri: str, stored: int) -> None:
        self._client: MongoClient[dict[str, Any]] = connection.connect(uri, _OPERATION_TIMEOUT)
        self._collection = connection.database(self._client)["bench"]
        self._ids = [str(uuid.uuid4()) for _ in range(stored)]
        self._collection.insert_many([{"_id": one, **_document()} for one in self._ids])

    def insert(self, threads: int, seconds: float) -> Measured:
        """Insert documents."""
        return _measure(
            lambda _: self._collection.insert_one({"_id": str(uuid.uuid4()), **_document()}), threads, seconds
        )

    def find(self, threads: int, seconds: float) -> Measured:
        """Find documents by their ids."""
        return _measure(
            lambda number: self._collection.find_one({"_id": self._ids[number % len(self._ids)]}),
            threads,
            seconds,
        )

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


def _document() -> dict[str, Any]:
    return {**_DOCUMENT, "created_at": datetime.now(UTC)}


def _measure(do: Callable[[int], object], threads: int, seconds: float) -> Measured:
    took: list[list[float]] = [[] for _ in range(threads)]
    end = time.monotonic() + seconds

    def work(own: list[float]) -> None:
        number = 0
        while (started := time.monotonic()) < end:
            do(number)
            own.append(time.monotonic() - started)
            number += 1

    running = [threading.Thread(target=work, args=(own,)) for own in took]
    begun = time.monotonic()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    passed = time.monotonic() - begun
    every = [one for own in took for one in own]
    return Measured(
        rate=len(every) / passed,
        p50=statistics.median(every),
        p99=statistics.quantiles(every, n=100)[98] if len(every) > 1 else every[0],
        errors=0,
    )
