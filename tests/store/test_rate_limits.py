"""store.rate_limits: one counter per subject and minute, shared by all processes, that expires."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from pymongo.database import Database

from service.store.rate_limits import RateLimitStore
from service.store.store import Store


@pytest.fixture
def minute(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The current time, which a test can set: waiting a minute would take too long."""
    present = [1_800_000_000.0]
    monkeypatch.setattr("service.store.rate_limits.time", type("Time", (), {"time": lambda: present[0]}))
    return present


def test_counts_each_subject_for_itself_and_by_the_minute(store: Store, minute: list[float]) -> None:
    """Each minute starts at zero."""
    assert [1, 2, 1] == [store.rate_limits.count(subject) for subject in ("a", "a", "b")]
    assert 60 == RateLimitStore.seconds_left()
    minute[0] += 59
    assert (3, 1) == (store.rate_limits.count("a"), RateLimitStore.seconds_left())
    minute[0] += 1
    assert (1, 60) == (store.rate_limits.count("a"), RateLimitStore.seconds_left())


def test_no_attempt_is_lost_among_many(store: Store, minute: list[float]) -> None:
    """32 at once, on a new subject: each gets its own number."""
    with ThreadPoolExecutor(32) as pool:
        counts = list(pool.map(store.rate_limits.count, ["a"] * 32))

    assert list(range(1, 33)) == sorted(counts)


def test_forgets_soon_after(store: Store, database: Database, indexed: None, minute: list[float]) -> None:
    """MongoDB removes past minutes, so that guesses do not fill the disk."""
    minute[0] = 1_600_000_000.0
    store.rate_limits.count("long ago")

    end = time.monotonic() + 60
    while database.attempts.count_documents({}) and time.monotonic() < end:
        time.sleep(0.2)

    assert 0 == database.attempts.count_documents({})
