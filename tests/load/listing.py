"""The cost of a page of a list with few and with many secrets: ``python -m tests.load.listing``.

It fills two private mongods and lists through the real application in this process.  The two alternate, so
that other work on the machine affects both alike; the result is the ratio of the medians.
"""

from __future__ import annotations

import argparse
import base64
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from pymongo import MongoClient

from service.app import create_app
from service.dev.mongod import EmbeddedMongo
from service.environment import Environment
from service.settings import Settings
from service.store.indexes import declared, reconcile

_FOLDERS = 10
_AT_ONCE = 5_000

# The queries; each has at least one full page of results.
_QUERIES: dict[str, dict[str, Any]] = {
    "all": {},
    "below a folder": {"prefix": "team-0/"},
    "with a label": {"labels": {"kind": "0"}},
    "one level": {"recursive": False},
}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.listing", description="The cost of a page.")
    parser.add_argument("--few", type=int, default=100, metavar="N", help="secrets (default: 100)")
    parser.add_argument("--many", type=int, default=100_000, metavar="N", help="secrets (default: 100000)")
    parser.add_argument("--pages", type=int, default=500, metavar="N", help="pages of each (default: 500)")
    args = parser.parse_args()
    sizes = (args.few, args.many)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        clients = [stack.enter_context(_filled(Path(folder, str(size)), size)) for size in sizes]
        print(f"pages of {_FOLDERS} among {args.few} and among {args.many} secrets, medians of {args.pages}")
        for name, query in _QUERIES.items():
            few, many = _medians(clients, query, args.pages)
            print(f"{name:15}{few * 1000:7.2f} ms{many * 1000:7.2f} ms   ratio {many / few:.2f}")


@contextmanager
def _filled(folder: Path, size: int) -> Iterator[FlaskClient]:
    """Yield a client of an application whose database has ``size`` secrets."""
    with EmbeddedMongo(folder) as mongo:
        with MongoClient[dict[str, Any]](mongo.uri) as client:
            reconcile(client["vault"], declared(0))
            for first in range(0, size, _AT_ONCE):
                numbers = range(first, min(first + _AT_ONCE, size))
                client["vault"]["secrets"].insert_many([_document(number) for number in numbers])
        variables = {
            "MASTER_KEY": base64.b64encode(bytes(32)).decode(),
            "MONGO_URI": mongo.uri,
            "AUTH_REQUIRED": "false",
        }
        yield create_app(Settings.from_environment(Environment(variables))).test_client()


def _document(number: int) -> dict[str, Any]:
    at = datetime(2026, 1, 31, tzinfo=UTC)
    folder = number % _FOLDERS
    return {
        "_id": f"{number:08}",
        "path": f"team-{folder}/app-{number % 97}/{number:08}",
        "labels": [{"k": "kind", "v": str(folder)}],
        "current": 1,
        "versions": [{"version": 1, "payload": bytes(100), "data_key": bytes(69), "created_at": at}],
        "created_at": at,
    }


def _medians(clients: list[FlaskClient], query: dict[str, Any], pages: int) -> list[float]:
    """Return each client's median seconds per page; after the last page, the list starts over."""
    took: list[list[float]] = [[] for _ in clients]
    cursors: list[str | None] = [None for _ in clients]
    for _ in range(pages):
        for number, client in enumerate(clients):
            body = {**query, "limit": _FOLDERS}
            if cursors[number] is not None:
                body["cursor"] = cursors[number]
            started = time.perf_counter()
            answer = client.post("/vault/secret/list", json=body)
            seconds = time.perf_counter() - started
            found = answer.get_json()
            cursors[number] = found["cursor"]
            # The empty answer after the last page does not count.
            if found["secrets"] or found["folders"]:
                took[number].append(seconds)
    return [statistics.median(each) for each in took]


if __name__ == "__main__":
    main()
