"""group_commit: concurrent calls share batches, and nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from service.errors import SecretNotFound, StoreUnavailable
from service.group_commit import GroupCommit


class Slow:
    """Work that takes as long as the test wants; the result for each item is its double."""

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
    pool: ThreadPoolExecutor, group: GroupCommit[int, int], item: int, seconds: float = 20
) -> Future[int]:
    """Submit from another thread, and return once the call waits or is done."""
    before = len(group._waiting)
    future = pool.submit(group.submit, item, seconds)
    end = time.monotonic() + 5
    while len(group._waiting) == before and time.monotonic() < end and not future.done():
        time.sleep(0.001)
    return future


@pytest.fixture
def slow() -> Slow:
    """Work that takes as long as the test wants."""
    return Slow()


@pytest.fixture
def pool() -> ThreadPoolExecutor:
    """The callers' threads."""
    return ThreadPoolExecutor(20)


def begin(pool: ThreadPoolExecutor, group: GroupCommit[int, int], slow: Slow, item: int) -> Future[int]:
    """Submit the first call, and return once its batch has started."""
    future = pool.submit(group.submit, item, 20)
    assert slow.begun.acquire(timeout=5)
    return future


def test_a_lone_call_is_done_at_once_in_its_own_thread() -> None:
    """No other thread and no wait, even with other calls before."""
    seen: list[int] = []

    def work(items: list[int]) -> list[int]:
        seen.append(threading.get_ident())
        return [item + 1 for item in items]

    group = GroupCommit(work, 10)

    assert [2, 3, 4] == [group.submit(item, 0) for item in (1, 2, 3)]
    assert {threading.get_ident()} == set(seen)


def test_calls_during_a_batch_form_the_next_batch(slow: Slow, pool: ThreadPoolExecutor) -> None:
    """In the order in which they came; each gets its own result."""
    group = GroupCommit(slow, 10)
    first = begin(pool, group, slow, 1)
    others = [later(pool, group, item) for item in (2, 3, 4)]
    slow.may_end.release()
    assert 2 == first.result(5)
    slow.may_end.release()

    assert [4, 6, 8] == [other.result(5) for other in others]
    assert [[1], [2, 3, 4]] == slow.batches


def test_no_batch_exceeds_its_maximum_and_no_call_is_lost(slow: Slow, pool: ThreadPoolExecutor) -> None:
    """First come, first served."""
    group = GroupCommit(slow, 3)
    calls = [begin(pool, group, slow, 0), *(later(pool, group, item) for item in range(1, 8))]
    slow.may_end.release(4)

    assert [2 * item for item in range(8)] == [call.result(5) for call in calls]
    assert [[0], [1, 2, 3], [4, 5, 6], [7]] == slow.batches


def test_no_thread_leads_more_than_one_batch(slow: Slow, pool: ThreadPoolExecutor) -> None:
    """Each batch is run by a thread of its own calls."""
    group = GroupCommit(slow, 1)
    calls = [begin(pool, group, slow, 0), *(later(pool, group, item) for item in range(1, 5))]
    slow.may_end.release(5)

    assert [0, 2, 4, 6, 8] == [call.result(5) for call in calls]
    assert 5 == len(set(slow.threads))


def test_an_item_s_error_is_raised_in_its_call(slow: Slow, pool: ThreadPoolExecutor) -> None:
    """And in no other call of the batch."""
    group = GroupCommit(slow, 10)
    begin(pool, group, slow, 0)
    calls = [later(pool, group, item) for item in (1, -2, 3)]
    slow.may_end.release(2)

    assert (2, 6) == (calls[0].result(5), calls[2].result(5))
    with pytest.raises(SecretNotFound, match="-2"):
        calls[1].result(5)


def test_an_error_of_the_work_is_raised_in_the_whole_batch(slow: Slow, pool: ThreadPoolExecutor) -> None:
    """The next batch is not affected."""
    group = GroupCommit(slow, 2)

    def fail(items: list[int]) -> None:
        if 1 in items:
            raise StoreUnavailable("gone")

    slow.fail = fail
    calls = [begin(pool, group, slow, 0), *(later(pool, group, item) for item in (1, 2, 3))]
    slow.may_end.release(3)

    assert (0, 6) == (calls[0].result(5), calls[3].result(5))
    for call in calls[1:3]:
        with pytest.raises(StoreUnavailable, match="gone"):
            call.result(5)


def test_if_a_leader_s_thread_is_ended_the_others_go_on(slow: Slow, pool: ThreadPoolExecutor) -> None:
    """The other calls of its batch get StoreUnavailable; the next batch is done."""
    group = GroupCommit(slow, 2)

    def fail(items: list[int]) -> None:
        if 1 in items:
            raise SystemExit

    slow.fail = fail
    calls = [begin(pool, group, slow, 0), *(later(pool, group, item) for item in (1, 2, 3))]
    slow.may_end.release(3)

    ended = [call.exception(5) for call in calls]
    assert [None, None] == [ended[0], ended[3]]
    assert {SystemExit, StoreUnavailable} == {type(error) for error in ended[1:3]}
    slow.may_end.release()
    assert 10 == group.submit(5, 1)


def test_if_a_leader_s_thread_is_ended_before_its_batch_another_leads(
    slow: Slow, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lets others submit when the batch before had several calls, and may be ended in that moment."""
    group = GroupCommit(slow, 2)
    calls = [begin(pool, group, slow, 1), later(pool, group, 2), later(pool, group, 3)]
    slow.may_end.release(2)
    assert [2, 4, 6] == [call.result(5) for call in calls]
    waiting: list[Future[int]] = []

    def sleep(_seconds: float) -> None:
        if not waiting:
            waiting.append(later(pool, group, 5))
            raise SystemExit

    monkeypatch.setattr("service.group_commit.time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))
    slow.may_end.release(2)

    assert isinstance(pool.submit(group.submit, 4, 20).exception(5), SystemExit)
    assert 10 == waiting[0].result(5)
    assert 12 == group.submit(6, 1)
    assert [[1], [2, 3], [5], [6]] == slow.batches


def test_too_few_results_are_an_error_for_all(slow: Slow) -> None:
    """A bug in the work must neither leave calls waiting nor give them the result of another call."""
    group = GroupCommit[int, int](lambda _items: [], 10)

    with pytest.raises(ValueError, match="shorter"):
        group.submit(1, 1)


def test_no_call_waits_longer_than_its_limit(slow: Slow, pool: ThreadPoolExecutor) -> None:
    """Neither in the queue, from which it is then removed, nor in a batch that hangs."""
    group = GroupCommit(slow, 10)
    first = begin(pool, group, slow, 1)
    started = time.monotonic()

    with pytest.raises(StoreUnavailable, match="timed out"):
        group.submit(2, 0.1)
    assert 0.1 <= time.monotonic() - started < 2

    hanging = later(pool, group, 3, seconds=0.3)
    patient = later(pool, group, 4)
    slow.may_end.release()
    assert 2 == first.result(5)
    with pytest.raises(StoreUnavailable, match="timed out"):
        hanging.result(5)
    slow.may_end.release()
    assert 8 == patient.result(5)
    assert [[1], [3, 4]] == slow.batches


def test_the_call_with_the_most_time_left_leads(slow: Slow, pool: ThreadPoolExecutor) -> None:
    """The limits of its thread bound the work, so no call fails because of another one's short limit."""
    group = GroupCommit(slow, 10)
    begin(pool, group, slow, 0)
    threads: dict[int, int] = {}

    def call(item: int, seconds: float) -> int:
        threads[item] = threading.get_ident()
        return group.submit(item, seconds)

    calls = []
    for item, seconds in ((1, 5.0), (2, 15.0), (3, 10.0)):
        waiting = len(group._waiting)
        calls.append(pool.submit(call, item, seconds))
        while len(group._waiting) == waiting:
            time.sleep(0.001)
    slow.may_end.release(2)

    assert [2, 4, 6] == [call.result(5) for call in calls]
    assert threads[2] == slow.threads[1]


def test_under_load_every_call_gets_its_own_result(pool: ThreadPoolExecutor) -> None:
    """With errors and timeouts: nothing is done twice, batches do not overlap, and no leader is left."""
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

    group = GroupCommit(work, 7)

    def call(item: int) -> str:
        try:
            result = group.submit(item, 0.0005 if item % 2 else 5)
        except (SecretNotFound, StoreUnavailable) as error:
            return str(error)
        return str(result)

    outcomes = dict(zip(range(1, 3001), pool.map(call, range(1, 3001)), strict=True))

    own = {item for item, outcome in outcomes.items() if outcome.endswith(str(item)) and item % 5 == 0}
    finished = {item for item, outcome in outcomes.items() if outcome == str(2 * item)}
    rest = {outcome for item, outcome in outcomes.items() if item not in own | finished}
    assert {"gone", "timed out while waiting for the database"} == rest
    assert len(done) == len(set(done))
    assert own | finished <= set(done)
    assert len(own) > 50
    assert (False, []) == (group._led, group._waiting)
