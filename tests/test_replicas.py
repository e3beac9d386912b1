"""Tokens with two real servers of two workers each: revocations and counters apply to all workers."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from pymongo import MongoClient
from pymongo.database import Database

from service.access import token_format
from service.dev.mongod import EmbeddedMongo
from service.store.rate_limits import RateLimitStore
from service.tokens.authentication import RECHECK_SECONDS
from tests import databases
from tests.calls import TOKEN, WHOAMI, id_of
from tests.conftest import variables
from tests.gunicorn_server import LAST, From, Server


@pytest.fixture(scope="module")
def replicas(
    mongo: EmbeddedMongo, mongo_client: MongoClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Server]]:
    """Two servers with authentication."""
    mongo_client.drop_database("vault")
    folder = tmp_path_factory.mktemp("replicas")
    demanding = {"AUTH_REQUIRED": "true", "AUTH_FAILURES_PER_MINUTE": "6"}
    servers = [Server(variables(mongo) | demanding, folder / f"{number}.log") for number in range(2)]
    try:
        for server in servers:
            server.wait_until()
        yield servers
    finally:
        for server in servers:
            server.stop()


@pytest.fixture
def database(mongo_client: MongoClient) -> Database:
    """The database without tokens and records; its keys stay, because running servers use them."""
    return databases.empty_beside_servers(mongo_client)


def call(server: Server, token: str | None, path: str = WHOAMI, /, **body: Any) -> requests.Response:
    """Call over a new connection, which any worker may accept."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return server.post(path, body, headers=headers)


def statuses(replicas: list[Server], token: str) -> list[int]:
    """Return the statuses of 12 calls to each server: enough to reach every worker."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda server: call(server, token).status_code, replicas * 12))


def test_a_revocation_reaches_every_worker_in_time(
    replicas: list[Server], give: Callable[..., str], database: Database
) -> None:
    """Within RECHECK_SECONDS; only the worker that did it knows at once."""
    admin, token = give("admin"), give("fetch:*")
    assert {200} == set(statuses(replicas, token))

    assert 200 == call(replicas[0], admin, TOKEN + "revoke", token_id=id_of(token)).status_code
    # Until then both answers are correct.
    time.sleep(RECHECK_SECONDS + 0.2)

    assert 200 not in statuses(replicas, token)
    assert {200} == set(statuses(replicas, admin))
    assert "token revoked" in database.audit_logs.distinct("reason", {"actor": id_of(token)})


def test_guesses_are_counted_over_all_workers(replicas: list[Server], database: Database) -> None:
    """Six failures per minute in total, then 429."""
    while RateLimitStore.seconds_left() < 8:
        time.sleep(0.2)
    guess = token_format.new().text

    with requests.Session() as session:
        # Processes remember whose limit is exceeded, and the other tests fail on purpose, too.
        session.mount("http://", From("127.0.0.3"))
        session.headers.update({"Authorization": f"Bearer {guess}", **LAST})
        answers = [session.post(replicas[number % 2].url + WHOAMI, timeout=60) for number in range(10)]

    assert [401] * 6 + [429] * 4 == [answer.status_code for answer in answers]
    assert 6 == database.audit_logs.count_documents({"reason": "invalid token"})


def test_uses_and_rate_limits_are_counted_over_all_workers(
    replicas: list[Server], give: Callable[..., str], database: Database
) -> None:
    """Five uses, or five calls per minute, in total."""
    while RateLimitStore.seconds_left() < 8:
        time.sleep(0.2)
    for token in (give("fetch:*", max_uses=5), give("fetch:*", rate_limit=5)):
        answers = statuses(replicas, token)
        assert 5 == answers.count(200), answers
        assert {200, 401, 429} >= set(answers)


def test_options_of_a_folder_hold_in_every_worker(
    replicas: list[Server], give: Callable[..., str], database: Database
) -> None:
    """As soon as they are answered, natively and through Vault's clients."""
    admin = give("admin")

    def write(number: int) -> int:
        server, path = replicas[number % 2], f"folder/{number}"
        if number % 4 < 2:
            return call(server, admin, "/vault/secret/update", path=path, secret="YQ==").status_code
        return call(server, admin, f"/v1/secret/data/{path}", data={}).status_code

    with ThreadPoolExecutor(8) as pool:
        for number in range(24):
            created = call(
                replicas[0], admin, "/vault/secret/create/", path=f"folder/{number}", secret="YQ=="
            )
            assert 200 == created.status_code
        before = list(pool.map(write, range(24)))
        configured = call(replicas[0], admin, "/vault/folder/configure", prefix="folder", cas_required=True)
        after = list(pool.map(write, range(24)))

    assert ({200}, 200, {400, 422}) == (set(before), configured.status_code, set(after))


def test_fifty_parallel_deliveries_and_a_deleted_grant(
    replicas: list[Server], give: Callable[..., str], database: Database
) -> None:
    """As when a node connects: no worker delivers later than RECHECK_SECONDS after the deletion."""
    admin, driver = give("admin"), give("deliver:*")
    secret = {"secret": "YQ==", "path": "team/db"}
    replicas[0].post("/vault/secret/create/", secret, headers={"Authorization": f"Bearer {admin}"})
    kept, deleted = (
        call(replicas[0], admin, "/vault/grant/create", services=[f"{name}_*"], paths=["team/*"]).json()
        for name in ("kept", "deleted")
    )

    def deliver(number: int) -> tuple[float, str, int]:
        service = ("kept_api", "deleted_api")[number % 2]
        body = {
            "path": "team/db",
            "version": 1,
            "service": {"id": "s1", "name": service},
            "task": {"id": f"t{number}"},
            "node": {"id": "n1"},
            "docker_secret": "db.v1",
        }
        server = replicas[number // 2 % 2]
        answer = server.post("/vault/secret/deliver", body, headers={"Authorization": f"Bearer {driver}"})
        return time.monotonic(), service, answer.status_code

    with ThreadPoolExecutor(50) as pool:
        before = list(pool.map(deliver, range(50)))
        call(replicas[0], admin, "/vault/grant/delete", grant_id=deleted["grant_id"])
        at = time.monotonic()
        after: list[tuple[float, str, int]] = []
        while time.monotonic() < at + RECHECK_SECONDS + 1:
            after += pool.map(deliver, range(50))

    assert {200} == {status for _, _, status in before}
    assert {200} == {status for _, service, status in after if service == "kept_api"}
    assert {200, 404} >= {status for _, _, status in after}
    # A call that was answered then may have been decided a moment before.
    late = [
        status
        for when, service, status in after
        if service == "deleted_api" and when > at + RECHECK_SECONDS + 0.5
    ]
    assert {404} == set(late)
    delivered = database.audit_logs.count_documents({"operation": "deliver", "status": "success"})
    assert delivered == sum(status == 200 for _, _, status in (*before, *after))
    assert {kept["grant_id"], deleted["grant_id"]} == set(
        database.audit_logs.distinct("grant_id", {"operation": "deliver", "status": "success"})
    )
