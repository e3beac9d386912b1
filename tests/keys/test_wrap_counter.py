"""vault.wraps: no wrap is left out of the count, whoever makes it and however it ends."""

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from pymongo.database import Database

from service.keys import wrap_counter
from service.keys.wrap_counter import BLOCK_SIZE, WrapCounter
from service.store.store import Store

KEY_ID = "00112233aabbccdd"


def test_counts_over_processes_and_restarts(store: Store, database: Database) -> None:
    """Three counters are three processes; what is left of a block is not used by another."""
    for _ in range(3):
        WrapCounter(store.keys).count(KEY_ID)

    assert {KEY_ID: 3 * BLOCK_SIZE} == store.keys.registered()


def test_takes_a_block_at_a_time(store: Store, database: Database) -> None:
    """Threads together use it up to its end, and no further."""
    counter = WrapCounter(store.keys)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(counter.count, [KEY_ID] * BLOCK_SIZE))
    assert {KEY_ID: BLOCK_SIZE} == store.keys.registered()

    counter.count(KEY_ID)
    assert {KEY_ID: 2 * BLOCK_SIZE} == store.keys.registered()


def test_counts_each_key_by_itself(store: Store, database: Database) -> None:
    """A new primary key begins at nothing."""
    counter = WrapCounter(store.keys)
    store.keys.reserve(KEY_ID, 10)

    counter.count("f" * 16)

    assert {KEY_ID: 10, "f" * 16: BLOCK_SIZE} == store.keys.registered()


def test_warns_long_before_the_bound(
    store: Store, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """With every block from a quarter of it on, and not before."""
    store.keys.reserve(KEY_ID, wrap_counter.WARN_AT - 2 * BLOCK_SIZE)

    with caplog.at_level(logging.WARNING):
        WrapCounter(store.keys).count(KEY_ID)
        assert [] == caplog.messages
        WrapCounter(store.keys).count(KEY_ID)

    (message,) = caplog.messages
    assert f"{KEY_ID} may have made {2**30} of at most {2**32} wraps" in message
