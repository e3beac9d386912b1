"""``indexes``: every index the service needs, created or brought back in line."""

from __future__ import annotations

import argparse
import os

from ..environment import Environment
from ..settings import StoreSettings
from ..store.store import Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit with 1 if something would be changed"
    )


def run(args: argparse.Namespace) -> int:
    """Print each change, and nothing where nothing changed."""
    settings = StoreSettings.from_environment(Environment(os.environ))
    store = Store(settings.mongo_uri, settings.mongo_timeout, settings.mongo_tls)
    try:
        store.wait_until_usable(settings.startup_timeout)
        changes = store.reconcile_indexes(settings.audit_ttl_days, check=args.check)
    finally:
        store.close()
    for change in changes:
        print(change)
    return 1 if args.check and changes else 0
