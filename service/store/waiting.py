"""Waits at start until the database can be used; if it cannot, finds out what is wrong and says so."""

from __future__ import annotations

import logging
import time
from contextlib import suppress

import pymongo
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

from ..errors import ConfigurationError
from .database import DEFAULT_DATABASE, UNAUTHORIZED, Document, connect, database, describe, named_database
from .tls import MongoTls

_PING_SECONDS = 2
# A server that does not answer by then is asked again a second later.
_ASK_SECONDS = 0.5
# Server error code (MongoDB's error_codes.yml).
_AUTHENTICATION_FAILED = 18
# The driver's names for a server without --replSet, and for one with it that is in no replica set yet.
_STANDALONE_KIND, _NOT_INITIATED_KIND = "Standalone", "RSGhost"
_STANDALONE = (
    "the MongoDB server in MONGO_URI is not part of a replica set, so it cannot guarantee"
    " that writes survive: start it with --replSet and initiate it (one member is enough)"
)

log = logging.getLogger(__name__)


def wait_until_usable(client: MongoClient[Document], uri: str, tls: MongoTls | None, seconds: float) -> None:
    """Wait up to ``seconds`` for a primary, and log the waiting; ``uri`` and ``tls`` are the client's.

    Raises:
        ConfigurationError: there is still none, the user is rejected or lacks rights, or the server is in no
            replica set, or in another one than ``uri`` names.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            with pymongo.timeout(_PING_SECONDS):
                hello = client.admin.command("hello")
                # Any read will do: ``hello`` does not need a login, so it would not show a wrong password.
                _read(database(client))
        except PyMongoError as error:
            # First: a member that is in no set yet seems to reject every user.
            kind = _ask_servers(uri, tls, client.options.replica_set_name)
            if kind is None:
                code = error.code if isinstance(error, OperationFailure) else None
                if code == _AUTHENTICATION_FAILED:
                    raise ConfigurationError(_wrong_login(uri, tls)) from None
                if code == UNAUTHORIZED:
                    raise ConfigurationError(_missing_rights(client, uri)) from None
                kind = describe(error)
        else:
            if "setName" not in hello and hello.get("msg") != "isdbgrid":
                raise ConfigurationError(_STANDALONE)
            if hello["isWritablePrimary"]:
                return
            kind = "the member that answers is not a primary yet"
        left = end - time.monotonic()
        if left <= 0:
            raise ConfigurationError(
                f"MongoDB was not reachable for {seconds:g} s ({kind}): check MONGO_URI, and that"
                " the server runs and has a primary"
            )
        log.warning("waiting for MongoDB, %.0f s left: %s", left, kind)
        time.sleep(min(1.0, left))


def _read(used: Database[Document]) -> None:
    used["meta"].find_one({}, {"_id": True})


def _ask_servers(uri: str, tls: MongoTls | None, replica_set: str | None) -> str | None:
    """Ask the servers which replica set they are in; return what is missing, or None if that is not it.

    A client that looks for a certain replica set forgets the servers that are in another one or in none.

    Raises:
        ConfigurationError: they are in another one, or in none and were not started for one.
    """
    with connect(uri, _ASK_SECONDS, tls, replicaSet=None) as client:
        with suppress(PyMongoError):
            client.admin.command("hello")
        servers = client.topology_description.server_descriptions().values()
    kinds = {server.server_type_name for server in servers}
    names = {server.replica_set_name for server in servers} - {None}
    if replica_set is not None and names and replica_set not in names:
        raise ConfigurationError(
            f"MONGO_URI says replicaSet={replica_set}, but the server is in the replica set"
            f" {', '.join(map(str, names))}: correct one of the two"
        )
    if _STANDALONE_KIND in kinds:
        raise ConfigurationError(_STANDALONE)
    if _NOT_INITIATED_KIND in kinds and not names:
        return "the replica set was not initiated: run rs.initiate() on one member, once"
    return None


def _wrong_login(uri: str, tls: MongoTls | None) -> str:
    """Return what to do about a login that was rejected: the user may be stored in another database."""
    parts, tried = parse_uri(uri), _auth_source(uri)
    if str(parts["options"].get("authMechanism", "SCRAM")).startswith("SCRAM"):
        for source in dict.fromkeys(("admin", parts["database"], DEFAULT_DATABASE)):
            if source not in (None, tried) and _lets_in(uri, tls, source):
                return (
                    f"MongoDB has the user in MONGO_URI, with this password, in the database {source}, not in"
                    f" {tried}: write authSource={source} there"
                )
    return "MongoDB rejects the user or the password in MONGO_URI: correct them"


def _lets_in(uri: str, tls: MongoTls | None, source: str) -> bool:
    try:
        with connect(uri, _PING_SECONDS, tls, authSource=source) as client:
            client.admin.command("hello")
    except PyMongoError:
        return False
    return True


def _missing_rights(client: MongoClient[Document], uri: str) -> str:
    """Return what to do about a user that may not read the database."""
    name = database(client).name
    if name != DEFAULT_DATABASE:
        with suppress(PyMongoError), pymongo.timeout(_PING_SECONDS):
            _read(named_database(client, DEFAULT_DATABASE))
            return (
                f"the user in MONGO_URI may read the database vault, but not {name}, which is named there."
                " Earlier versions used vault whatever it named: to go on with it, write"
                f" /vault?authSource={_auth_source(uri)}; to use {name}, give the user the role readWrite"
                " there"
            )
    return (
        f"MONGO_URI has no user, or one that may not read the database {name}: give it the role readWrite"
        " there, or name the database that it may use"
    )


def _auth_source(uri: str) -> str:
    """Return the database in which MongoDB looks for the user."""
    parts = parse_uri(uri)
    return str(parts["options"].get("authSource") or parts["database"] or "admin")
