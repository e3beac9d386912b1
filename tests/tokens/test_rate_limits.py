"""tokens.rate_limits: a process asks the database only until it knows that a limit is exceeded."""

import pytest

from service.tokens.rate_limits import RateLimits


class Counts:
    """Counts in memory what is counted in the database, and how often it is asked."""

    def __init__(self) -> None:
        self.minute = 7
        self.counts: dict[tuple[str, int], int] = {}
        self.asked = 0

    def window(self) -> int:
        return self.minute

    def count(self, subject: str, amount: int = 1) -> int:
        self.asked += 1
        key = (subject, self.minute)
        self.counts[key] = self.counts.get(key, 0) + amount
        return self.counts[key]


class Clock:
    """A clock that the test advances."""

    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def counts() -> Counts:
    """The counts of this test."""
    return Counts()


@pytest.fixture
def clock() -> Clock:
    """The clock of this test."""
    return Clock()


@pytest.fixture
def limits(counts: Counts, clock: Clock) -> RateLimits:
    """The limits of one process."""
    return RateLimits(counts, clock)  # type: ignore[arg-type]


def test_asks_no_more_once_the_limit_is_exceeded(limits: RateLimits, counts: Counts) -> None:
    """Until the minute ends; other subjects are asked for."""
    assert [True, True, False, False, False] == [limits.count("a", 2) for _ in range(5)]

    assert 3 == counts.asked
    assert limits.is_exceeded(["b", "a"])
    assert not limits.is_exceeded(["b"])
    assert limits.count("b", 2)
    counts.minute += 1
    assert not limits.is_exceeded(["a"])
    assert limits.count("a", 2)


def test_counts_again_in_time_if_it_is_told_to(limits: RateLimits, counts: Counts, clock: Clock) -> None:
    """Calls that were taken back make room within the minute."""
    limits.count("a", 2, 2, recount_seconds=1)
    assert not limits.count("a", 2, recount_seconds=1)
    limits.take_back("a", 3)
    assert not limits.count("a", 2, recount_seconds=1)

    clock.seconds += 1

    assert limits.count("a", 2, recount_seconds=1)
    assert not limits.is_exceeded(["a"])


def test_a_batch_that_does_not_fit_says_nothing_of_single_calls(limits: RateLimits) -> None:
    """It is taken back, as nothing of it is done."""
    assert not limits.count("a", 2, 3)
    limits.take_back("a", 3)

    assert limits.count("a", 2)


def test_its_memory_is_bounded(limits: RateLimits, counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is forgotten is counted again."""
    monkeypatch.setattr("service.tokens.rate_limits._MAX_REMEMBERED", 2)
    for subject in ("a", "b", "c"):
        assert not limits.count(subject, 0)

    assert not limits.is_exceeded(["a"])
    assert not limits.count("a", 0)
    assert 4 == counts.asked
