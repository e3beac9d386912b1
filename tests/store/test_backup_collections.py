"""store.kept: no collection is forgotten by backups."""

import importlib
import pkgutil
from collections.abc import Callable

from flask.testing import FlaskClient
from pymongo.database import Database

import service.store
from service.store.backup_collections import EXCLUDED, INCLUDED, STAGING_COLLECTIONS
from service.store.checkpoints import CHECKPOINTS, WRITERS
from tests.calls import CREATE, WHOAMI, post


def test_every_collection_is_kept_or_left_out_on_purpose() -> None:
    """Whoever adds a collection says what a backup does with it."""
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
    """Also where a module gave its collection no name of that kind."""
    token = give("admin")
    post(guarded, CREATE, {"secret": "YQ==", "path": "a"}, token)
    post(guarded, WHOAMI, {}, token[:-1])

    assert set(database.list_collection_names()) <= {*INCLUDED, *EXCLUDED, *STAGING_COLLECTIONS}
    # The first checkpoint comes after an interval.
    assert {*INCLUDED} - {CHECKPOINTS} <= set(database.list_collection_names())
