"""keys.wrap_counter: the count includes every wrap of every process."""

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from pymongo.database import Database

from service.keys import wrap_counter
from service.keys.wrap_counter import BLOCK_SIZE, WrapCounter
from service.store.store import Store

KEY_ID = "00112233aabbccdd"


def test_counts_across_processes_and_restarts(store: Store, database: Database) -> None:
    """Each counter stands for a process; no process uses the rest of another's block."""
    for _ in range(3):
        WrapCounter(store.keys).count(KEY_ID)

    assert {KEY_ID: 3 * BLOCK_SIZE} == store.keys.registered()


def test_takes_a_block_at_a_time(store: Store, database: Database) -> None:
    """Threads share a block, and together use exactly all of it."""
    counter = WrapCounter(store.keys)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(counter.count, [KEY_ID] * BLOCK_SIZE))
    assert {KEY_ID: BLOCK_SIZE} == store.keys.registered()

    counter.count(KEY_ID)
    assert {KEY_ID: 2 * BLOCK_SIZE} == store.keys.registered()


def test_counts_each_key_separately(store: Store, database: Database) -> None:
    """A new primary key starts at zero."""
    counter = WrapCounter(store.keys)
    store.keys.reserve(KEY_ID, 10)

    counter.count("f" * 16)

    assert {KEY_ID: 10, "f" * 16: BLOCK_SIZE} == store.keys.registered()


def test_warns_long_before_the_limit(
    store: Store, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """From a quarter of the limit on, every reserved block logs a warning."""
    store.keys.reserve(KEY_ID, wrap_counter.WARN_AT - 2 * BLOCK_SIZE)

    with caplog.at_level(logging.WARNING):
        WrapCounter(store.keys).count(KEY_ID)
        assert [] == caplog.messages
        WrapCounter(store.keys).count(KEY_ID)

    (message,) = caplog.messages
    assert f"{KEY_ID} may have made {2**30} of at most {2**32} wraps" in message
