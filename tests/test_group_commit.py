"""gathering: concurrent calls share the work, and nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from service.errors import SecretNotFound, StoreUnavailable
from service.group_commit import GroupCommit


class Slow:
    """Work that takes as long as the test wants; answers each item with its double."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.threads: list[int] = []
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)
        self.fail: Callable[[list[int]], None] = lambda _items: None

    def __call__(self, items: list[int]) -> list[int | Exception]:
        self.batches.append(items)
        self.threads.append(threading.get_ident())
        self.begun.release()
        assert self.may_end.acquire(timeout=20)
        self.fail(items)
        return [SecretNotFound(str(item)) if item < 0 else 2 * item for item in items]


def later(
    pool: ThreadPoolExecutor, gatherer: GroupCommit[int, int], item: int, seconds: float = 20
) -> Future[int]:
    """Call from another thread, and return once it waits or works."""
    before = len(gatherer._waiting)
    future = pool.submit(gatherer.submit, item, seconds)
    end = time.monotonic() + 5
    while len(gatherer._waiting) == before and time.monotonic() < end and not future.done():
        time.sleep(0.001)
    return future


@pytest.fixture
def slow() -> Slow:
    """Work that waits for the test."""
    return Slow()


@pytest.fixture
def pool() -> ThreadPoolExecutor:
    """Callers."""
    return ThreadPoolExecutor(20)


def begin(pool: ThreadPoolExecutor, gatherer: GroupCommit[int, int], slow: Slow, item: int) -> Future[int]:
    """Call with nobody before, and return once the work has begun."""
    future = pool.submit(gatherer.submit, item, 20)
    assert slow.begun.acquire(timeout=5)
    return future


def test_a_lone_call_is_done_at_once_in_its_own_thread() -> None:
    """No other thread, no wait, whatever came before."""
    seen: list[int] = []

    def work(items: list[int]) -> list[int]:
        seen.append(threading.get_ident())
        return [item + 1 for item in items]

    gatherer = GroupCommit(work, 10)

    assert [2, 3, 4] == [gatherer.submit(item, 0) for item in (1, 2, 3)]
    assert {threading.get_ident()} == set(seen)


def test_who_comes_meanwhile_goes_together(slow: Slow, pool: ThreadPoolExecutor) -> None:
    """In the order in which they came; each gets its own answer."""
    gatherer = GroupCommit(slow, 10)
    first = begin(pool, gatherer, slow, 1)
    others = [later(pool, gatherer, item) for item in (2, 3, 4)]
    slow.may_end.release()
    assert 2 == first.result(5)
    slow.may_end.release()

    assert [4, 6, 8] == [other.result(5) for other in others]
    assert [[1], [2, 3, 4]] == slow.batches


def test_no_batch_is_longer_than_allowed_and_nobody_is_left_behind(
    slow: Slow, pool: ThreadPoolExecutor
) -> None:
    """Who came first goes first."""
    gatherer = GroupCommit(slow, 3)
    calls = [begin(pool, gatherer, slow, 0), *(later(pool, gatherer, item) for item in range(1, 8))]
    slow.may_end.release(4)

    assert [2 * item for item in range(8)] == [call.result(5) for call in calls]
    assert [[0], [1, 2, 3], [4, 5, 6], [7]] == slow.batches


def test_nobody_serves_the_others_for_ever(slow: Slow, pool: ThreadPoolExecutor) -> None:
    """Each batch is run by one of its own."""
    gatherer = GroupCommit(slow, 1)
    calls = [begin(pool, gatherer, slow, 0), *(later(pool, gatherer, item) for item in range(1, 5))]
    slow.may_end.release(5)

    assert [0, 2, 4, 6, 8] == [call.result(5) for call in calls]
    assert 5 == len(set(slow.threads))


def test_an_error_befalls_the_call_that_caused_it(slow: Slow, pool: ThreadPoolExecutor) -> None:
    """And no other of the batch."""
    gatherer = GroupCommit(slow, 10)
    begin(pool, gatherer, slow, 0)
    calls = [later(pool, gatherer, item) for item in (1, -2, 3)]
    slow.may_end.release(2)

    assert (2, 6) == (calls[0].result(5), calls[2].result(5))
    with pytest.raises(SecretNotFound, match="-2"):
        calls[1].result(5)


def test_an_error_of_the_work_befalls_its_batch_and_no_other(slow: Slow, pool: ThreadPoolExecutor) -> None:
    """The next batch is done as if nothing had happened."""
    gatherer = GroupCommit(slow, 2)

    def fail(items: list[int]) -> None:
        if 1 in items:
            raise StoreUnavailable("gone")

    slow.fail = fail
    calls = [begin(pool, gatherer, slow, 0), *(later(pool, gatherer, item) for item in (1, 2, 3))]
    slow.may_end.release(3)

    assert (0, 6) == (calls[0].result(5), calls[3].result(5))
    for call in calls[1:3]:
        with pytest.raises(StoreUnavailable, match="gone"):
            call.result(5)


def test_a_leader_whose_thread_ends_takes_nobody_with_it(slow: Slow, pool: ThreadPoolExecutor) -> None:
    """Those of its batch are told to try again, the next batch is done."""
    gatherer = GroupCommit(slow, 2)

    def fail(items: list[int]) -> None:
        if 1 in items:
            raise SystemExit

    slow.fail = fail
    calls = [begin(pool, gatherer, slow, 0), *(later(pool, gatherer, item) for item in (1, 2, 3))]
    slow.may_end.release(3)

    ended = [call.exception(5) for call in calls]
    assert [None, None] == [ended[0], ended[3]]
    assert {SystemExit, StoreUnavailable} == {type(error) for error in ended[1:3]}
    slow.may_end.release()
    assert 10 == gatherer.submit(5, 1)


def test_too_few_answers_are_an_error_for_all(slow: Slow) -> None:
    """A mistake in the work must not leave anybody waiting, nor give them another one's answer."""
    gatherer = GroupCommit[int, int](lambda _items: [], 10)

    with pytest.raises(ValueError, match="shorter"):
        gatherer.submit(1, 1)


def test_nobody_waits_longer_than_its_time(slow: Slow, pool: ThreadPoolExecutor) -> None:
    """Neither in the queue, where it is then never done, nor in a batch that hangs."""
    gatherer = GroupCommit(slow, 10)
    first = begin(pool, gatherer, slow, 1)
    started = time.monotonic()

    with pytest.raises(StoreUnavailable, match="in time"):
        gatherer.submit(2, 0.1)
    assert 0.1 <= time.monotonic() - started < 2

    hanging = later(pool, gatherer, 3, seconds=0.3)
    patient = later(pool, gatherer, 4)
    slow.may_end.release()
    assert 2 == first.result(5)
    with pytest.raises(StoreUnavailable, match="in time"):
        hanging.result(5)
    slow.may_end.release()
    assert 8 == patient.result(5)
    assert [[1], [3, 4]] == slow.batches


def test_who_has_the_most_time_left_leads(slow: Slow, pool: ThreadPoolExecutor) -> None:
    """The limits of its thread bound the work: nobody's ends early because of one who is in a hurry."""
    gatherer = GroupCommit(slow, 10)
    begin(pool, gatherer, slow, 0)
    threads: dict[int, int] = {}

    def call(item: int, seconds: float) -> int:
        threads[item] = threading.get_ident()
        return gatherer.submit(item, seconds)

    calls = []
    for item, seconds in ((1, 5.0), (2, 15.0), (3, 10.0)):
        waiting = len(gatherer._waiting)
        calls.append(pool.submit(call, item, seconds))
        while len(gatherer._waiting) == waiting:
            time.sleep(0.001)
    slow.may_end.release(2)

    assert [2, 4, 6] == [call.result(5) for call in calls]
    assert threads[2] == slow.threads[1]


def test_under_load_with_errors_and_impatience_everybody_gets_its_own(pool: ThreadPoolExecutor) -> None:
    """Nothing is done twice, no two batches at once, and in the end nobody leads."""
    done: list[int] = []
    running = threading.Lock()

    def work(items: list[int]) -> list[int | Exception]:
        assert running.acquire(blocking=False)
        time.sleep(items[0] % 3 / 1000)
        done.extend(items)
        running.release()
        if any(item % 97 == 0 for item in items):
            raise StoreUnavailable("gone")
        return [SecretNotFound(f"of {item}") if item % 5 == 0 else 2 * item for item in items]

    gatherer = GroupCommit(work, 7)

    def call(item: int) -> str:
        try:
            result = gatherer.submit(item, 0.0005 if item % 2 else 5)
        except (SecretNotFound, StoreUnavailable) as error:
            return str(error)
        return str(result)

    outcomes = dict(zip(range(1, 3001), pool.map(call, range(1, 3001)), strict=True))

    own = {item for item, outcome in outcomes.items() if outcome.endswith(str(item)) and item % 5 == 0}
    finished = {item for item, outcome in outcomes.items() if outcome == str(2 * item)}
    rest = {outcome for item, outcome in outcomes.items() if item not in own | finished}
    assert {"gone", "the database did not get to this in time"} == rest
    assert len(done) == len(set(done))
    assert own | finished <= set(done)
    assert len(own) > 50
    assert (False, []) == (gatherer._led, gatherer._waiting)
