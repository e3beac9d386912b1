"""audit.recorder: no operation ends before its record is durable.

The sink is a double here and only here: a real database cannot be made to fail at one exact write.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace

import pytest

from service.audit.background import RefusalThread
from service.audit.recorder import Recorder
from service.errors import AuditUnavailable, SecretNotFound, StoreUnavailable, TooManyRequests
from service.models import AuditRecord, Caller, Status, now

CALLER = Caller(client_ip="192.0.2.1", request_id="request")


class MemorySink:
    """Keeps records in memory; ``before_write`` may wait or fail."""

    def __init__(self, before_write: Callable[[], None] = lambda: None) -> None:
        self.before_write = before_write
        self.records: list[AuditRecord] = []
        self.batches: list[int] = []

    def append(self, records: Sequence[AuditRecord], seconds: float) -> None:
        self.before_write()
        self.batches.append(len(records))
        self.records += records


def refuse() -> None:
    """Fail like an unavailable database."""
    raise StoreUnavailable("gone")


def test_records_a_success_with_all_that_is_known() -> None:
    """Operation, secret, caller, outcome, and a time in UTC."""
    sink = MemorySink()
    with Recorder(sink, 5, enabled=True).entry("fetch", CALLER) as entry:
        entry.secret_id = "id"
        assert sink.records == []

    (record,) = sink.records
    assert ("fetch", "id", "192.0.2.1", "request", Status.SUCCESS, None) == (
        record.operation,
        record.secret_id,
        record.client_ip,
        record.request_id,
        record.status,
        record.reason,
    )
    assert record.timestamp.utcoffset() is not None
    assert record.timestamp.utcoffset().total_seconds() == 0


def test_records_who_was_given_what() -> None:
    """Whatever the use case sets; records of other operations have no such fields."""
    sink = MemorySink()
    known = {"grant_id": "g", "version": 7, "service": "billing_api", "service_id": "s"}
    known |= {"task_id": "t", "node_id": "n", "docker_secret": "db.v7", "api": "v1"}
    known |= {"role_id": "r", "accessor": "a"}
    with Recorder(sink, 5, enabled=True).entry("deliver", CALLER) as entry:
        for name, value in known.items():
            setattr(entry, name, value)
    with Recorder(sink, 5, enabled=True).entry("fetch", CALLER):
        pass

    delivered, fetched = (record.fields() for record in sink.records)
    assert known.items() <= delivered.items()
    assert not known.keys() & fetched.keys()


@pytest.mark.parametrize(
    ("error", "reason"), [(SecretNotFound(), "not found"), (ValueError("hunter2"), "internal error")]
)
def test_records_a_failure_with_its_reason_and_raises_it_again(error: Exception, reason: str) -> None:
    """The reason is a fixed phrase: no message of an unexpected error gets into the log."""
    sink = MemorySink()

    with pytest.raises(type(error)), Recorder(sink, 5, enabled=True).entry("fetch", CALLER):
        raise error

    (record,) = sink.records
    assert (Status.FAILURE, reason) == (record.status, record.reason)


def test_no_result_is_returned_without_its_record() -> None:
    """Neither a success nor a failure."""
    recorder = Recorder(MemorySink(refuse), 5, enabled=True)

    with pytest.raises(AuditUnavailable), recorder.entry("fetch", CALLER):
        pass
    with pytest.raises(AuditUnavailable), recorder.entry("fetch", CALLER):
        raise SecretNotFound


def test_recovers_by_itself_and_drops_what_failed() -> None:
    """A record whose answer was withheld is not written later, as if the answer had been sent."""
    sink = MemorySink(refuse)
    recorder = Recorder(sink, 5, enabled=True)
    with pytest.raises(AuditUnavailable), recorder.entry("first", CALLER):
        pass

    sink.before_write = lambda: None
    with recorder.entry("second", CALLER):
        pass

    assert ["second"] == [record.operation for record in sink.records]


def test_concurrent_records_go_together() -> None:
    """Records that arrive during a write are written together after it."""
    sink = MemorySink(lambda: time.sleep(0.05))
    recorder = Recorder(sink, 5, enabled=True)

    def operate(number: int) -> None:
        with recorder.entry(str(number), CALLER):
            pass

    with ThreadPoolExecutor(40) as pool:
        list(pool.map(operate, range(40)))

    assert {str(number) for number in range(40)} == {record.operation for record in sink.records}
    assert 40 == sum(sink.batches)
    assert len(sink.batches) < 20


def test_a_failed_write_affects_only_one_caller() -> None:
    """The others in the batch try again, within their own time."""
    failures = iter([True])
    started = threading.Event()

    def fail_once() -> None:
        started.set()
        time.sleep(0.1)
        if next(failures, False):
            refuse()

    sink = MemorySink(fail_once)
    recorder = Recorder(sink, 5, enabled=True)
    outcomes: list[str] = []

    def operate(name: str) -> None:
        try:
            with recorder.entry(name, CALLER):
                pass
            outcomes.append(name)
        except AuditUnavailable:
            outcomes.append(f"{name} refused")

    threads = [threading.Thread(target=operate, args=(name,)) for name in ("a", "b", "c")]
    threads[0].start()
    started.wait()
    for thread in threads[1:]:
        thread.start()
    for thread in threads:
        thread.join()

    assert ["a refused", "b", "c"] == sorted(outcomes)
    assert {"b", "c"} == {record.operation for record in sink.records}


def test_waits_no_longer_than_its_time() -> None:
    """A write that hangs does not block the next ones beyond their own time."""
    release = threading.Event()
    sink = MemorySink(lambda: release.wait(10) and None)
    recorder = Recorder(sink, 0.2, enabled=True)

    def hang() -> None:
        with recorder.entry("first", CALLER):
            pass

    first = threading.Thread(target=hang)
    first.start()
    time.sleep(0.05)
    with pytest.raises(AuditUnavailable, match="in time"), recorder.entry("second", CALLER):
        pass
    release.set()
    first.join()


def refuse_call(recorder: Recorder, *, tallied: bool = True) -> None:
    """Refuse a call as past a limit."""
    with pytest.raises(TooManyRequests), recorder.entry("fetch", CALLER):
        raise TooManyRequests("wait", 9, tallied=tallied)


def test_refusals_past_a_limit_are_counted() -> None:
    """And written when the minute has ended; all other refusals are recorded at once."""
    sink = MemorySink()
    recorder = Recorder(sink, 5, enabled=True)
    for _ in range(3):
        refuse_call(recorder)
    refuse_call(recorder, tallied=False)
    recorder.write_refusals(now())

    assert [("too many requests", None)] == [(record.reason, record.count) for record in sink.records]
    recorder.write_refusals()
    assert ("too many requests", 3) == (sink.records[-1].reason, sink.records[-1].count)


def test_refusals_are_kept_while_they_cannot_be_written() -> None:
    """They are refused nevertheless, and their count is exact in the end."""
    sink = MemorySink(refuse)
    recorder = Recorder(sink, 5, enabled=True)
    refuse_call(recorder)
    with pytest.raises(AuditUnavailable):
        recorder.write_refusals()
    refuse_call(recorder)

    sink.before_write = lambda: None
    recorder.write_refusals()

    assert [2] == [record.count for record in sink.records]


def test_refusals_for_which_there_is_no_room_are_recorded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """None goes unrecorded."""
    monkeypatch.setattr("service.audit.refusals._MAX_TALLIES", 0)
    sink = MemorySink()
    refuse_call(Recorder(sink, 5, enabled=True))

    assert [("too many requests", None)] == [(record.reason, record.count) for record in sink.records]


def test_refusals_are_written_at_the_end_of_a_minute_and_at_the_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By a thread of each process."""
    times = iter([59.9])
    monkeypatch.setattr("service.audit.background.time", SimpleNamespace(time=lambda: next(times, 0.0)))
    later = now() + timedelta(minutes=1)
    monkeypatch.setattr("service.audit.background.now", lambda: later)
    sink = MemorySink()
    recorder = Recorder(sink, 5, enabled=True)
    refuse_call(recorder)
    thread = RefusalThread(recorder, 5)
    thread.start()
    end = time.monotonic() + 5
    while not sink.records and time.monotonic() < end:
        time.sleep(0.01)
    assert [1] == [record.count for record in sink.records]

    refuse_call(recorder)
    thread.stop()

    assert [1, 1] == [record.count for record in sink.records]


def test_can_be_turned_off() -> None:
    """If disabled, nothing is written, and nothing can fail."""
    with Recorder(MemorySink(refuse), 5, enabled=False).entry("fetch", CALLER):
        pass
