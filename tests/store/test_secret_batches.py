"""store.secret_batches: a batched call gets the same result as it would get alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from pymongo.database import Database

from service.errors import PathTaken, StoreUnavailable
from service.models import AccessFilter, Envelope
from service.records import Secret, Version
from service.store import secret_documents, secret_queries
from service.store.database import deadline_in, seconds_left
from service.store.secret_queries import SecretRef
from service.store.store import Store

NOW = datetime(2026, 1, 31, tzinfo=UTC)
MANY = 12
ACCESS_FILTERS = (
    AccessFilter(everything=True),
    AccessFilter(owner="ann"),
    AccessFilter(paths=("team/app",), owner="bob"),
    AccessFilter(folders=("team/", "of.her/"), owner="bob"),
    AccessFilter(folders=("",), owner="bob"),
)


def secret(name: str, **fields: Any) -> Secret:
    """Return a secret with two versions."""
    versions = (Version(1, NOW, Envelope(b"old", b"key")), Version(2, NOW, Envelope(b"new", b"key")))
    return Secret(name, 2, versions, NOW, **fields)


class Concurrently:
    """Makes calls at the same time, so that all but the first share one round trip."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.batches: list[int] = []
        self._first = threading.Event()
        self._go = threading.Event()
        for group in (store.secrets._inserts._group, store.secrets._finds._group):
            self._hold(group)

    def _hold(self, group: Any) -> None:
        work = group._work

        def work_when_released(items: list[Any]) -> Sequence[Any]:
            self.batches.append(len(items))
            self._first.set()
            assert self._go.wait(20)
            return work(items)

        group._work = work_when_released

    def do(self, *calls: Callable[[], Any]) -> list[Any]:
        """Return the result or the error of each call."""

        def outcome(call: Callable[[], Any]) -> Any:
            try:
                return call()
            except (PathTaken, StoreUnavailable) as error:
                return error

        groups = (self.store.secrets._inserts._group, self.store.secrets._finds._group)
        with ThreadPoolExecutor(len(calls)) as pool:
            running = [pool.submit(outcome, calls[0])]
            assert self._first.wait(20)
            running += [pool.submit(outcome, call) for call in calls[1:]]
            while sum(len(group._waiting) for group in groups) < len(calls) - 1:
                pass
            self._go.set()
            return [future.result(20) for future in running]


@pytest.fixture
def concurrently(store: Store, indexed: None) -> Concurrently:
    """The store, with indexes."""
    return Concurrently(store)


def test_inserts_share_a_round_trip_and_no_error(concurrently: Concurrently, database: Database) -> None:
    """Only the insert whose path is taken fails, and the others are stored."""
    taken = secret("first", path="team/app")
    secrets = [taken, *(secret(str(number)) for number in range(MANY)), secret("late", path="team/app")]

    outcomes = concurrently.do(
        *(lambda one=one: concurrently.store.secrets.insert(one, None) for one in secrets)
    )

    assert [1, MANY + 1] == concurrently.batches
    assert [None] * (MANY + 1) == outcomes[:-1]
    assert isinstance(outcomes[-1], PathTaken)
    assert {one.secret_id for one in secrets[:-1]} == {one["_id"] for one in database.secrets.find()}


def test_finds_of_several_versions_share_a_round_trip(concurrently: Concurrently) -> None:
    """As when many tasks start at once: each of them has the value of the version that it asked for."""
    for name in "abc":
        one = secret(name)
        concurrently.store.secrets._collection.insert_one(
            {"_id": one.secret_id, **secret_documents.write(one)}
        )
    lookups = list(product("abc", (1, 2, None)))

    found = concurrently.do(
        *(
            lambda name=name, number=number: concurrently.store.secrets.find_with_value(
                [SecretRef(name)], AccessFilter(everything=True), number
            )[SecretRef(name)]
            for name, number in lookups
        )
    )

    assert [1, len(lookups) - 1] == concurrently.batches
    for (name, number), one in zip(lookups, found, strict=True):
        sealed = one.versions[(number or 2) - 1].sealed
        assert (name, b"old" if number == 1 else b"new") == (one.secret_id, sealed.payload)


def test_finds_share_a_round_trip_and_no_rights(concurrently: Concurrently) -> None:
    """A caller never finds a secret only because another caller in the same batch may read it."""
    for one in (secret("a", owner="ann"), secret("b", path="team/app"), secret("c", path="team/other")):
        concurrently.store.secrets._collection.insert_one(
            {"_id": one.secret_id, **secret_documents.write(one)}
        )
    names = (
        SecretRef("a"),
        SecretRef("b"),
        SecretRef("c"),
        SecretRef("team/app", is_path=True),
        SecretRef("none"),
    )
    lookups = list(product(names, ACCESS_FILTERS))

    alone = [
        concurrently.store.secrets.find_without_values([name], access).keys() for name, access in lookups
    ]
    found = concurrently.do(
        *(
            lambda name=name, access=access: concurrently.store.secrets.find_with_value([name], access, None)
            for name, access in lookups
        )
    )

    assert [1, len(lookups) - 1] == concurrently.batches
    assert alone == [one.keys() for one in found]
    values = {
        version.version: version.sealed for one in found for it in one.values() for version in it.versions
    }
    assert {1: Envelope(None, b"key"), 2: Envelope(b"new", b"key")} == values


@pytest.mark.parametrize("access", ACCESS_FILTERS)
def test_allows_agrees_with_the_filter(store: Store, database: Database, access: AccessFilter) -> None:
    """For documents that this service writes.  Of others, which somebody put there, it allows no more."""
    texts: list[Any] = [None, "team/app", "team/other", "team", "of.her/x", "ofxher/x", "TEAM/app", 7]
    texts += [["team/app"], ["other", "ann"], "ann", "bob", ""]
    made = [
        {"path": path, "former_path": former, "owner": owner}
        for path, former, owner in product(texts, texts, texts)
    ]
    stored = [
        {"_id": number} | {field: value for field, value in one.items() if value is not None}
        for number, one in enumerate(made)
    ]
    database.secrets.insert_many(stored)

    expected = {one["_id"] for one in database.secrets.find(secret_queries.accessible(access), {"_id": True})}
    allowed = {one["_id"] for one in stored if secret_queries.allows(access, one)}
    assert allowed <= expected
    written = {one["_id"] for one in stored if not any(isinstance(value, list) for value in one.values())}
    assert allowed & written == expected & written


def test_a_call_without_time_left_fails(store: Store) -> None:
    """The next one works as usual."""
    with deadline_in(0.0001), pytest.raises(StoreUnavailable):
        store.secrets.insert(secret("a"), None)

    store.secrets.insert(secret("b"), None)


def test_the_time_left_is_the_smallest_of_all_limits() -> None:
    """Without any deadline it is the caller's limit."""
    assert 7 == seconds_left(7)
    with deadline_in(100):
        assert 7 == seconds_left(7)
        with deadline_in(3):
            assert 2 < seconds_left(7) <= 3
            with deadline_in(50):
                assert 2 < seconds_left(7) <= 3
        assert 50 < seconds_left(200) <= 100
