"""Looks into ``vault``, where earlier versions stored everything, whatever the connection string named."""

from __future__ import annotations

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import OperationFailure

from . import canary, secrets, tokens
from .canary import CanaryStore
from .database import DEFAULT_DATABASE, UNAUTHORIZED, Document, map_errors, named_database


class DefaultDatabase:
    """The database ``vault``, beside the one in use, which may be the same.

    Every method raises StoreUnavailable if the database does not answer in time.
    """

    def __init__(self, client: MongoClient[Document], used: Database[Document]) -> None:
        self._used = used
        self._default = named_database(client, DEFAULT_DATABASE)
        self.canaries = CanaryStore(self._default[canary.COLLECTION])

    @property
    def used_name(self) -> str:
        """The name of the database in use."""
        return self._used.name

    def holds_data(self) -> bool:
        """Return whether it has secrets or tokens; what the user may not read is not there."""
        with map_errors():
            try:
                return _holds_data(self._default)
            except OperationFailure as error:
                if error.code == UNAUTHORIZED:
                    return False
                raise

    def holds_data_instead(self) -> bool:
        """Return whether it has secrets or tokens, while the database in use is another one with neither."""
        if self._used.name == DEFAULT_DATABASE:
            return False
        with map_errors():
            is_empty = not _holds_data(self._used)
        return is_empty and self.holds_data()


def _holds_data(database: Database[Document]) -> bool:
    # A command that fails, or a restore that was interrupted, may have left other documents.
    return any(
        database[name].find_one({}, {"_id": True}) is not None
        for name in (secrets.COLLECTION, tokens.COLLECTION)
    )
