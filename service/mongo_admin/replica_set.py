"""The replica set: find it, initiate it, wait for its primary.

A MongoDB with access control and no users yet accepts ``replSetInitiate`` and the first
``createUser`` from its own loopback interface only (the localhost exception).  ``connect_member``
makes such a connection.  ``membership`` changes the set's members, ``member_states`` has their states.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pymongo
from pymongo import MongoClient
from pymongo.errors import AutoReconnect, OperationFailure, PyMongoError

from ..errors import ConfigurationError, StoreUnavailable, VaultError
from ..store.tls import MongoTls, options

Client = MongoClient[dict[str, Any]]

# Codes of mongod's error_codes.yml.
UNAUTHORIZED = 13
AUTHENTICATION_FAILED = 18
ALREADY_INITIALIZED = 23

# The default of replSetInitiate.
ELECTION_TIMEOUT = 10_000  # milliseconds

PAUSE = 0.25  # seconds between two attempts while something is not ready yet
LOOK_SECONDS = 2  # limit of one of several attempts, because there may be no answer


@dataclass(frozen=True, slots=True)
class Member:
    """A member as the set's configuration should have it: ``host`` is ``name:port``."""

    host: str
    priority: float = 1


def connect_member(host: str, tls: MongoTls | None = None) -> Client:
    """Return a client for the one member at ``host`` (``name:port``), whatever its state.

    It does not log in: that is enough for ``hello`` and for the localhost exception.
    """
    return MongoClient(
        host,
        directConnection=True,
        serverSelectionTimeoutMS=2_000,
        timeoutMS=10_000,
        **options(tls),
    )


def connect_set(name: str, hosts: Sequence[str], tls: MongoTls | None = None) -> Client:
    """Return a client for the primary of the replica set ``name``; it does not log in."""
    return MongoClient(list(hosts), replicaSet=name, timeoutMS=10_000, **options(tls))


def poll(seconds: float) -> Iterator[None]:
    """Yield at once, and then every ``PAUSE`` until ``seconds`` are over."""
    end = time.monotonic() + seconds
    yield
    while time.monotonic() < end:
        time.sleep(PAUSE)
        yield


def error_text(error: PyMongoError) -> str:
    """Return the message of MongoDB or the driver, without the driver's dump of its state."""
    if isinstance(error, OperationFailure):
        return str((error.details or {}).get("errmsg") or error)
    return str(error).partition(", Timeout: ")[0]


def to_domain_error(what: str, error: PyMongoError) -> VaultError:
    """Return the domain error for a driver error; ``what`` says what failed."""
    if isinstance(error, OperationFailure) and error.code == AUTHENTICATION_FAILED:
        return ConfigurationError(f"{what}: MongoDB does not know this user with this password")
    return StoreUnavailable(f"{what}: {error_text(error)}")


def hello_of(client: Client, name: str) -> dict[str, Any]:
    """Return one member's answer to ``hello``; it is in the replica set ``name`` or in none yet.

    Raises:
        ConfigurationError: it belongs to another set.
        StoreUnavailable: it does not answer.
    """
    try:
        hello: dict[str, Any] = client.admin.command("hello")
    except PyMongoError as error:
        raise to_domain_error("the member does not answer", error) from error
    current = hello.get("setName")
    if current not in (None, name):
        raise ConfigurationError(f"{hello.get('me')} belongs to the replica set {current}, not to {name}")
    return hello


def known_hosts(client: Client, name: str) -> list[str]:
    """Return the members of ``name`` as one member sees them; an empty list if it is in no set.

    Raises:
        ConfigurationError: it belongs to another set.
        StoreUnavailable: it does not answer.
    """
    hello = hello_of(client, name)
    return [*hello.get("hosts", []), *hello.get("passives", [])]


def find(
    client: Client, name: str, others: Sequence[str], seconds: float, tls: MongoTls | None = None
) -> list[str]:
    """Return the members of ``name`` as the member of ``client``, or else one of ``others``, sees them.

    An empty list means that all of them answered and none is in a set: only then may one be initiated.  A
    member that lost its data looks like a new one, and a second set of the same name would destroy the first.

    Raises:
        ConfigurationError: one belongs to another set.
        StoreUnavailable: one did not answer within ``seconds``.
    """
    if hosts := known_hosts(client, name):
        return hosts
    silent: list[str] = []
    for _ in poll(seconds):
        silent = []
        for host in others:
            try:
                with connect_member(host, tls) as other, pymongo.timeout(LOOK_SECONDS):
                    if hosts := known_hosts(other, name):
                        return hosts
            except StoreUnavailable:
                silent.append(host)
        if not silent:
            return []
    raise StoreUnavailable(
        f"no answer from {', '.join(silent)} in {seconds:g} s, which may have the replica set {name}:"
        " it is not initiated; start these members, then run it again"
    )


def initiate(client: Client, name: str, first: Member, election_timeout: int = ELECTION_TIMEOUT) -> bool:
    """Initiate the replica set ``name`` with the member ``first`` alone, unless it exists already.

    ``client`` talks to that member directly; ``election_timeout`` is in milliseconds.  Returns
    whether this call initiated it.

    Raises:
        ConfigurationError: the member belongs to another set.
        StoreUnavailable: it does not answer, or rejects the command.
    """
    config = {
        "_id": name,
        # A single member with priority 0 could not become the primary: it gets the 0 when there are others.
        "members": [{"_id": 0, "host": first.host, "priority": first.priority or 1}],
        "settings": {"electionTimeoutMillis": election_timeout},
    }
    if known_hosts(client, name):
        return False
    try:
        client.admin.command("replSetInitiate", config)
    except PyMongoError as error:
        # Until a starting member of an existing set has read its configuration, its hello is that of a new
        # one; only the initiation itself finds the users or the configuration.
        if isinstance(error, OperationFailure) and error.code in (UNAUTHORIZED, ALREADY_INITIALIZED):
            return False
        raise to_domain_error(f"cannot initiate the replica set {name}", error) from error
    return True


def wait_for_primary(client: Client, seconds: float, other_than: str | None = None) -> str:
    """Return the primary (``name:port``) as soon as it accepts writes.

    ``client`` talks to the set, or to the one member that is to become its primary.

    Raises:
        StoreUnavailable: there was none after ``seconds``; the message has the last answer or error.
    """
    seen = "nothing"
    for _ in poll(seconds):
        try:
            with pymongo.timeout(LOOK_SECONDS):
                hello = client.admin.command("hello")
        except AutoReconnect as error:
            seen = error_text(error)
            continue
        except PyMongoError as error:
            raise to_domain_error("cannot find the primary", error) from error
        host = str(hello.get("me"))
        if hello["isWritablePrimary"] and host != other_than:
            return host
        seen = str(hello.get("info") or f"{host}, a member of {hello.get('setName')}")
    kind = "other primary" if other_than else "primary"
    raise StoreUnavailable(f"no {kind} after {seconds:g} s; last seen: {seen}")
