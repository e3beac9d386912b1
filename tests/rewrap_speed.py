"""Measures a rewrap: ``python -m tests.rewrap_speed [SECRETS]`` shows the command's output, time and memory.

Uses its own mongod, with SECRETS (default 100,000) secrets of 1 KiB.  The second rewrap has nothing to do, so
its memory is what any command needs.
"""

import sys
import tempfile
from pathlib import Path

from pymongo import MongoClient

from service.dev.mongod import EmbeddedMongo
from service.keys.canary import KeyRingCheck
from service.store.store import Store
from tests.conftest import MASTER_KEY, OTHER_MASTER_KEY, make_ring
from tests.filling import fill
from tests.measuring import measure


def main(count: int) -> None:
    """Fill a database and rewrap it."""
    with tempfile.TemporaryDirectory() as name, EmbeddedMongo(Path(name) / "mongo") as mongo:
        keys = Path(name) / "keys"
        keys.mkdir()
        (keys / "v1").write_bytes(MASTER_KEY)
        (keys / "v2").write_bytes(OTHER_MASTER_KEY)
        store = Store(mongo.uri, 30)
        store.reconcile_indexes(0)
        ring = make_ring(MASTER_KEY, OTHER_MASTER_KEY)
        KeyRingCheck(store.canaries, store.secrets, ring, store.keys, store.rewrap).check()
        with MongoClient(mongo.uri) as client:
            fill(client["vault"], ring, count, bytes(1024))
        variables = {"MONGO_URI": mongo.uri, "MASTER_KEYS_DIR": str(keys), "MASTER_KEY_PRIMARY": "v2"}
        for action in ("rewrap", "rewrap", "status"):
            measure(variables, "key", action)
        store.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
