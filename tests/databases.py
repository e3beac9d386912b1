"""Where the tests' databases lie, and how they are emptied between tests.

Emptying takes a tenth of the time that dropping and making them takes.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from service.store import backup_collections, canary, indexes

# By collection, as MongoDB tells them; they do not change within a run.
_declared: dict[str, dict[str, Any]] = {}
# Linux's file system in memory, and what must be free there for one more database beside the other
# processes' ones: a fresh one has 300 MiB.
_MEMORY = Path("/dev/shm")
_ENOUGH_BYTES = 4 * 2**30


@contextmanager
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make a folder for a database: in memory where there is room, as every write waits for the disk.

    A gigabyte is written in two minutes, beside a cluster that waits for the same disk.
    """
    if not _MEMORY.is_dir() or shutil.disk_usage(_MEMORY).free < _ENOUGH_BYTES:
        yield tmp_path_factory.mktemp("mongo")
        return
    with tempfile.TemporaryDirectory(prefix="mongo-", dir=_MEMORY) as name:
        yield Path(name)


def empty(client: MongoClient, *, indexed: bool) -> Database:
    """Return the database with no document, and with the declared indexes or with none.

    A collection is dropped if the service does not have it for good, or if a test left it with other options
    or other indexes.
    """
    database = client["vault"]
    if indexed and not _declared:
        client.drop_database(database.name)
        indexes.reconcile(database, indexes.declared(0))
        _declared.update(_indexes(database))
    kept, plain = {*backup_collections.INCLUDED, *backup_collections.EXCLUDED}, {"_id_"}
    missing = set(_declared) if indexed else set()
    for name, options in _options(database).items():
        found = database[name].index_information()
        as_wanted = found == _declared[name] if indexed and name in _declared else plain == found.keys()
        if as_wanted and not options and name in kept:
            database[name].delete_many({})
            missing.discard(name)
        else:
            database[name].drop()
    if missing:
        indexes.reconcile(database, indexes.declared(0))
    return database


def empty_beside_servers(client: MongoClient) -> Database:
    """Return the database with no document but the keys: servers that go on running have opened these."""
    database = client["vault"]
    for name in database.list_collection_names(filter={"name": {"$ne": canary.COLLECTION}}):
        database[name].delete_many({})
    return database


def _options(database: Database) -> dict[str, dict[str, Any]]:
    return {one["name"]: one["options"] for one in database.list_collections()}


def _indexes(database: Database) -> dict[str, dict[str, Any]]:
    return {name: database[name].index_information() for name in database.list_collection_names()}
