"""Measures backup, drill and restore: ``python -m tests.backup_speed [SECRETS]`` prints seconds and memory.

Uses its own mongod, with SECRETS (default 100,000) secrets of 1 KiB.
"""

import os
import sys
import tempfile
from pathlib import Path

from pymongo import MongoClient

from service.dev.mongod import EmbeddedMongo
from service.keys.canary import KeyRingCheck
from service.store.store import Store
from tests.conftest import MASTER_KEY, make_ring
from tests.filling import fill
from tests.measuring import measure


def main(count: int) -> None:
    """Fill a database, back it up, and restore it."""
    with tempfile.TemporaryDirectory() as name, EmbeddedMongo(Path(name) / "mongo") as mongo:
        key, file = Path(name) / "key", Path(name) / "vault.backup"
        key.write_bytes(MASTER_KEY)
        variables = {"MONGO_URI": mongo.uri, "MASTER_KEY_FILE": str(key)}
        store, ring = Store(mongo.uri, 30), make_ring(MASTER_KEY)
        store.reconcile_indexes(0)
        KeyRingCheck(store.canaries, store.secrets, ring, store.keys, store.rewrap).check()
        with MongoClient(mongo.uri) as client:
            fill(client["vault"], ring, count, os.urandom(1024))
        for arguments in (
            ["create", "--output", str(file)],
            ["show", str(file)],
            ["drill", str(file)],
            ["restore", "--replace", str(file)],
        ):
            measure(variables, "backup", *arguments, quiet=True)
        print(f"backup file: {file.stat().st_size / 2**20:.1f} MiB", flush=True)
        store.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
