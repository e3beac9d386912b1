"""secrets.modify and secrets.read under threads: concurrent calls are linearizable."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database

from tests.calls import ask

THREADS = 8
PATH = "team/app"


@dataclass(frozen=True)
class Call:
    """A call and its response; times are those of one monotonic clock."""

    started: float
    ended: float
    status: int
    body: dict[str, Any]


def at_once(client: FlaskClient, work: Callable[[Callable[..., Call], int], None]) -> list[Call]:
    """Do the work in THREADS concurrent threads; return every call that they made."""
    calls: list[Call] = []
    barrier = threading.Barrier(THREADS)

    def call(operation: str, **body: Any) -> Call:
        started = time.monotonic()
        answer = ask(client.application.test_client(), operation, path=PATH, **body)
        made = Call(started, time.monotonic(), answer.status_code, answer.json)
        calls.append(made)
        return made

    def run(number: int) -> None:
        barrier.wait()
        work(call, number)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(run, range(THREADS)))
    return calls


def encoded(text: str) -> str:
    """Return a value in base64."""
    return base64.b64encode(text.encode()).decode()


def assert_in_real_order(calls: list[Call], order: Callable[[Call], int]) -> None:
    """Fail if a call that ended before another started comes after it in the order."""
    for one, other in combinations(sorted(calls, key=order), 2):
        assert not other.ended < one.started, (one, other)


def test_no_version_is_lost(client: FlaskClient) -> None:
    """Each concurrent update finds its value under the version number in its response."""
    ask(client, "create/", path=PATH, secret=encoded("first"), max_versions=100)
    values: dict[int, str] = {}

    def work(call: Callable[..., Call], number: int) -> None:
        for turn in range(10):
            value = encoded(f"{number} {turn}")
            values[call("update", secret=value).body["version"]] = value

    calls = at_once(client, work)

    assert {200} == {call.status for call in calls}
    assert list(range(2, 82)) == sorted(values)
    assert_in_real_order(calls, lambda call: call.body["version"])
    for version, value in values.items():
        assert value == ask(client, "fetch", path=PATH, version=version).json["secret"]


def test_compare_and_set_is_linearizable(client: FlaskClient) -> None:
    """Each number is won once, by a call that expected its predecessor; no conflict names a stale one."""
    ask(client, "create/", path=PATH, secret=encoded("first"), max_versions=100, cas_required=True)

    def work(call: Callable[..., Call], number: int) -> None:
        expected = 1
        for turn in range(20):
            made = call("update", secret=encoded(f"{number} {turn}"), expected_version=expected)
            expected = made.body["version"] if made.status == 200 else made.body["current_version"]
            if made.status == 200:
                won.append((expected, made.body["version"] - 1))

    won: list[tuple[int, int]] = []
    calls = at_once(client, work)

    winners = [call for call in calls if call.status == 200]
    losers = [call for call in calls if call.status == 409]
    assert THREADS * 20 == len(winners) + len(losers)
    assert losers, "no two calls met: the test has shown nothing"
    assert list(range(2, len(winners) + 2)) == sorted(call.body["version"] for call in winners)
    assert_in_real_order(winners, lambda call: call.body["version"])
    for loser in losers:
        current = loser.body["current_version"]
        before = [winner.body["version"] for winner in winners if winner.ended < loser.started]
        begun = [winner.body["version"] for winner in winners if winner.started < loser.ended]
        assert max(before, default=1) <= current <= max(begun, default=1)


@pytest.mark.parametrize("reads", [1, 7, 30])
def test_limited_reads_are_counted_exactly(client: FlaskClient, reads: int) -> None:
    """Each response has another number of reads left, in the order in which they were used up."""
    ask(client, "create/", path=PATH, secret=encoded("value"), max_reads=reads)

    def work(call: Callable[..., Call], _number: int) -> None:
        for _ in range(5):
            call("fetch")

    calls = at_once(client, work)

    given = [call for call in calls if call.status == 200]
    refused = [call for call in calls if call.status != 200]
    assert list(range(reads)) == sorted(call.body["reads_left"] for call in given)
    assert {encoded("value")} == {call.body["secret"] for call in given}
    assert_in_real_order(given, lambda call: -call.body["reads_left"])
    assert THREADS * 5 - reads == len(refused)
    assert all(call.status == 404 and "already read" in call.body["detail"] for call in refused)
    last = max(given, key=lambda call: -call.body["reads_left"])
    assert all(call.ended > last.started for call in refused)


def test_one_path_is_created_once(client: FlaskClient, indexed: None) -> None:
    """With expected_version 0, one call creates it; the others get its version in a conflict."""
    calls = at_once(
        client, lambda call, number: call("update", secret=encoded(str(number)), expected_version=0)
    )

    assert [200] + [409] * (THREADS - 1) == sorted(call.status for call in calls)
    assert {1} == {call.body["current_version"] for call in calls if call.status == 409}


def test_what_is_destroyed_stays_destroyed(client: FlaskClient, database: Database) -> None:
    """A concurrent update that has read the value before cannot bring it back."""
    ask(client, "create/", path=PATH, secret=encoded("value"))

    def work(call: Callable[..., Call], number: int) -> None:
        for turn in range(5):
            if (number, turn) == (0, 2):
                call("destroy")
            else:
                call("update", secret=encoded("more"))

    calls = at_once(client, work)

    assert {200, 404} >= {call.status for call in calls}
    assert [] == [version for version in database.secrets.find_one()["versions"] if "payload" in version]
