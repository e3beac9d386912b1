"""store.backup_collections: backups cover every collection."""

import importlib
import pkgutil
from collections.abc import Callable

from flask.testing import FlaskClient
from pymongo.database import Database

import service.store
from service.store.backup_collections import EXCLUDED, INCLUDED, STAGING_COLLECTIONS
from service.store.checkpoints import CHECKPOINTS, WRITERS
from tests.calls import CREATE, WHOAMI, post


def test_every_collection_is_included_or_excluded_on_purpose() -> None:
    """A new collection must be added to INCLUDED or EXCLUDED."""
    modules = [
        importlib.import_module(f"service.store.{found.name}")
        for found in pkgutil.iter_modules(service.store.__path__)
    ]
    named = {module.COLLECTION for module in modules if hasattr(module, "COLLECTION")}

    assert named | {CHECKPOINTS, WRITERS} == {*INCLUDED, *EXCLUDED}
    assert not set(INCLUDED) & EXCLUDED


def test_what_the_service_makes_is_named_there(
    nothing_yet: None, guarded: FlaskClient, give: Callable[..., str], indexed: None, database: Database
) -> None:
    """Even if its module does not name it in a constant COLLECTION."""
    token = give("admin")
    post(guarded, CREATE, {"secret": "YQ==", "path": "a"}, token)
    post(guarded, WHOAMI, {}, token[:-1])

    assert set(database.list_collection_names()) <= {*INCLUDED, *EXCLUDED, *STAGING_COLLECTIONS}
    # The first checkpoint comes after an interval.
    assert {*INCLUDED} - {CHECKPOINTS} <= set(database.list_collection_names())
