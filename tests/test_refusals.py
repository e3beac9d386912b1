"""What is refused past a limit costs the database nothing, and one record carries the count."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from pymongo import MongoClient

from service.access import token_format
from service.access.token_format import Credential
from service.dev.mongod import EmbeddedMongo
from service.store.rate_limits import RateLimitStore
from tests.calls import FETCH, WHOAMI, id_of
from tests.gunicorn_server import Server

LIMIT = 10
# All floods together must end in the minute in which they began, on a slow machine too.
FLOOD = 300


@pytest.fixture
def environment(own_mongo: EmbeddedMongo) -> dict[str, str]:
    """On a mongod of this test's own, whose counts are this test's."""
    from tests.conftest import variables

    return variables(own_mongo)


@pytest.fixture
def client(own_mongo: EmbeddedMongo) -> Iterator[MongoClient]:
    """The test's way into that database."""
    with MongoClient(own_mongo.uri, tz_aware=True) as client:
        yield client


@pytest.fixture
def guarded(serve: Callable[..., Server]) -> Server:
    """A server with one worker that demands tokens, early in a minute."""
    server = serve(WORKERS="1", AUTH_REQUIRED="true", AUTH_FAILURES_PER_MINUTE=str(LIMIT))
    server.wait_until()
    while RateLimitStore.seconds_left() < 30:
        time.sleep(0.2)
    return server


def call(server: Server, path: str, tokens: list[str | None]) -> list[int]:
    """Call with each of these tokens, on 16 kept connections, and return the statuses."""
    sessions = itertools.cycle([requests.Session() for _ in range(16)])

    def one(session: requests.Session, token: str | None) -> int:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return session.post(server.url + path, json={"path": "a"}, headers=headers, timeout=20).status_code

    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(one, sessions, tokens))


def writes(client: MongoClient) -> int:
    """Return how many documents were inserted or updated so far."""
    documents = client.admin.command("serverStatus")["metrics"]["document"]
    return int(documents["inserted"] + documents["updated"])


def queries(client: MongoClient) -> int:
    """Return how many queries were made so far."""
    return int(client.admin.command("serverStatus")["opcounters"]["query"])


def test_a_flood_without_a_valid_token(
    guarded: Server, give: Callable[..., str], client: MongoClient
) -> None:
    """However it fails: none of it is written, and who has a token is served from the same address."""
    known, fresh = give("fetch:*"), give("fetch:*")
    assert {401} == set(call(guarded, WHOAMI, [None] * LIMIT))
    assert {404} == set(call(guarded, FETCH, [known] * 4))
    floods: dict[str, list[str | None]] = {
        "no token": [None] * FLOOD,
        "malformed": ["nonsense"] * FLOOD,
        "unknown": [token_format.new().text] * FLOOD,
        "guessed": [Credential(id_of(known), bytes(32)).text] * FLOOD,
        "all different": [token_format.new().text for _ in range(FLOOD)],
    }
    # This one tells the process that the limit is reached.
    assert [429] == call(guarded, WHOAMI, [None])
    refused = 1
    for name, tokens in floods.items():
        before, asked, started = writes(client), queries(client), time.monotonic()
        assert Counter({429: FLOOD}) == Counter(call(guarded, WHOAMI, tokens)), name
        refused += FLOOD
        assert writes(client) - before <= 3, name
        seconds = time.monotonic() - started
        assert queries(client) - asked <= (10 if name != "all different" else 10 + 25 * seconds), name

    with ThreadPoolExecutor(1) as pool:
        flood = pool.submit(call, guarded, WHOAMI, floods["all different"] + floods["no token"])
        started = time.monotonic()
        assert [404] * 40 == call(guarded, FETCH, [known] * 20 + [fresh] * 20)
        assert time.monotonic() - started < 5
        assert {429} == set(flood.result())
    refused += 2 * FLOOD
    guarded.stop()

    (record,) = client.vault.audit_logs.find({"reason": "too many requests"})
    assert (refused, "127.0.0.1", "failure", "token_whoami", "various") == tuple(
        record[name] for name in ("count", "client_ip", "status", "operation", "actor")
    )
    assert LIMIT == client.vault.audit_logs.count_documents({"reason": "no token"})


def test_a_flood_with_a_valid_token(guarded: Server, give: Callable[..., str], client: MongoClient) -> None:
    """Past its own limit, its calls are counted once a second at most."""
    token, other = give("fetch:*", rate_limit=LIMIT), give("fetch:*")
    assert [404] * LIMIT + [429] == [call(guarded, FETCH, [token])[0] for _ in range(LIMIT + 1)]
    before, started = writes(client), time.monotonic()

    assert Counter({429: FLOOD}) == Counter(call(guarded, FETCH, [token] * FLOOD))

    assert writes(client) - before <= 5 + time.monotonic() - started
    assert [404] == call(guarded, FETCH, [other])
    guarded.stop()
    (record,) = client.vault.audit_logs.find({"reason": "too many requests"})
    assert (FLOOD + 1, "127.0.0.1", "fetch", id_of(token)) == tuple(
        record[name] for name in ("count", "client_ip", "operation", "actor")
    )
