"""The cost of group commit for a lone caller, and of many stored secrets.

``python -m tests.load.fetching`` calls the real application in this process, on two private mongods with few
and with many secrets.  The two kinds of calls that are compared alternate, so that other work on the machine
affects both alike; the result is the ratio of the medians.
"""

from __future__ import annotations

# As in the service, before anything else is imported.
from gevent import monkey

monkey.patch_all()

import argparse
import base64
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from flask.testing import FlaskClient
from pymongo import MongoClient

from service.app import create_app
from service.dev.mongod import EmbeddedMongo
from service.environment import Environment
from service.group_commit import GroupCommit
from service.settings import Settings
from service.store.indexes import declared, reconcile

_VALUE = base64.b64encode(bytes(96)).decode()
_FETCHED = 500
_AT_ONCE = 10_000
_CREATE, _FETCH = "/vault/secret/create/", "/vault/secret/fetch"


@dataclass(frozen=True, slots=True)
class _Filled:
    client: FlaskClient
    ids: Sequence[str]

    def create(self, _number: int) -> None:
        _expect_ok(self.client.post(_CREATE, json={"secret": _VALUE}))

    def fetch(self, number: int) -> None:
        _expect_ok(self.client.post(_FETCH, json={"secret_id": self.ids[number % len(self.ids)]}))


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.load.fetching", description="Measure the cost of calls for a lone caller."
    )
    parser.add_argument("--few", type=int, default=1_000, metavar="N", help="secrets (default: 1000)")
    parser.add_argument("--many", type=int, default=1_000_000, metavar="N", help="secrets (default: 1000000)")
    parser.add_argument("--calls", type=int, default=1_000, metavar="N", help="calls of each (default: 1000)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        few, many = (
            stack.enter_context(_filled(Path(folder, str(size)), size)) for size in (args.few, args.many)
        )
        _compare("create, with group commit and without", few.create, few.create, args.calls, direct=True)
        _compare("fetch, with group commit and without", few.fetch, few.fetch, args.calls, direct=True)
        _compare(f"fetch, of {args.many} and of {args.few}", many.fetch, few.fetch, args.calls)


@contextmanager
def _filled(folder: Path, size: int) -> Iterator[_Filled]:
    """Yield a client of an application whose database has ``size`` secrets, and the ids of some of them."""
    with EmbeddedMongo(folder) as mongo:
        with MongoClient[dict[str, Any]](mongo.uri) as client:
            secrets = client["vault"]["secrets"]
            reconcile(client["vault"], declared(0))
            variables = {
                "MASTER_KEY": base64.b64encode(bytes(32)).decode(),
                "MONGO_URI": mongo.uri,
                "AUTH_REQUIRED": "false",
            }
            caller = create_app(Settings.from_environment(Environment(variables))).test_client()
            ids = [
                _expect_ok(caller.post(_CREATE, json={"secret": _VALUE}))["secret_id"]
                for _ in range(_FETCHED)
            ]
            # The others have the same form, and are never opened.
            pattern = secrets.find_one({"_id": ids[0]}) or {}
            for first in range(len(ids), size, _AT_ONCE):
                count = min(_AT_ONCE, size - first)
                secrets.insert_many(
                    [{**pattern, "_id": str(uuid.uuid4())} for _ in range(count)], ordered=False
                )
        yield _Filled(caller, ids)


def _compare(
    what: str, one: Callable[[int], None], other: Callable[[int], None], calls: int, *, direct: bool = False
) -> None:
    """Time the two alternately; with ``direct``, ``other`` runs without group commit."""
    took: tuple[list[float], list[float]] = ([], [])
    for number in range(calls):
        for call, times in zip((one, other), took, strict=True):
            alone = (
                mock.patch.object(GroupCommit, "submit", _directly)
                if direct and times is took[1]
                else nullcontext()
            )
            with alone:
                started = time.perf_counter()
                call(number)
                times.append(time.perf_counter() - started)
    first, second = map(statistics.median, took)
    print(f"{what}: {first * 1000:.2f} ms and {second * 1000:.2f} ms, ratio {first / second:.2f}", flush=True)


def _directly(group: GroupCommit[Any, Any], item: Any, _seconds: float) -> Any:
    (result,) = group._work([item])
    if isinstance(result, Exception):
        raise result
    return result


def _expect_ok(answer: Any) -> Any:
    if answer.status_code != 200:
        raise SystemExit(f"the service answers {answer.status_code}: {answer.text}")
    return answer.get_json()


if __name__ == "__main__":
    main()
