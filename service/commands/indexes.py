"""``indexes``: create every index that the service needs, and update those that differ."""

from __future__ import annotations

import click

from ..environment import process_environment
from ..settings import StoreSettings
from ..store.store import Store
from .base import Command


@click.command(cls=Command, help="Create the database's indexes, or update those that differ.")
@click.option("--check", is_flag=True, help="change nothing; exit with 1 if something would change")
def command(check: bool) -> int:
    """Print one line per change, and nothing if nothing changed."""
    settings = StoreSettings.from_environment(process_environment())
    store = Store(settings.mongo_uri, settings.mongo_timeout, settings.mongo_tls)
    try:
        store.wait_until_usable(settings.startup_timeout)
        changes = store.reconcile_indexes(settings.audit_ttl_days, check=check)
    finally:
        store.close()
    for change in changes:
        print(change)
    return 1 if check and changes else 0
