"""store.attempts: one count for everybody, which forgets by itself."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from pymongo.database import Database

from service.store.rate_limits import RateLimitStore
from service.store.store import Store


@pytest.fixture
def minute(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The present, to be set: a minute is too long to wait for."""
    present = [1_800_000_000.0]
    monkeypatch.setattr("service.store.rate_limits.time", type("Time", (), {"time": lambda: present[0]}))
    return present


def test_counts_each_subject_for_itself_and_by_the_minute(store: Store, minute: list[float]) -> None:
    """The next minute begins anew."""
    assert [1, 2, 1] == [store.rate_limits.count(subject) for subject in ("a", "a", "b")]
    assert 60 == RateLimitStore.seconds_left()
    minute[0] += 59
    assert (3, 1) == (store.rate_limits.count("a"), RateLimitStore.seconds_left())
    minute[0] += 1
    assert (1, 60) == (store.rate_limits.count("a"), RateLimitStore.seconds_left())


def test_no_attempt_is_lost_among_many(store: Store, minute: list[float]) -> None:
    """32 at once, on a subject that nobody has counted before: each gets a number of its own."""
    with ThreadPoolExecutor(32) as pool:
        counts = list(pool.map(store.rate_limits.count, ["a"] * 32))

    assert list(range(1, 33)) == sorted(counts)


def test_forgets_soon_after(store: Store, database: Database, indexed: None, minute: list[float]) -> None:
    """MongoDB removes the minutes that are over, so that guesses do not fill the disk."""
    minute[0] = 1_600_000_000.0
    store.rate_limits.count("long ago")

    end = time.monotonic() + 60
    while database.attempts.count_documents({}) and time.monotonic() < end:
        time.sleep(0.2)

    assert 0 == database.attempts.count_documents({})
