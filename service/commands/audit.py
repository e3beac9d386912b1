"""``audit``: the newest audit records, oldest first, one JSON object per line."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict

from ..environment import Environment
from ..settings import StoreSettings
from ..store.store import Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--last", type=int, default=100, metavar="N", help="how many (default 100)")
    parser.add_argument("--secret-id", metavar="ID", help="those of one secret only")


def run(args: argparse.Namespace) -> int:
    """Print the records."""
    settings = StoreSettings.from_environment(Environment(os.environ))
    store = Store(settings.mongo_uri, settings.mongo_timeout, settings.mongo_tls)
    try:
        store.wait_until_usable(settings.startup_timeout)
        records = store.audit.newest(args.last, args.secret_id)
    finally:
        store.close()
    for record in reversed(records):
        print(json.dumps(asdict(record) | {"timestamp": record.timestamp.isoformat()}))
    return 0
