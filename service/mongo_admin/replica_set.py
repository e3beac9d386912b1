"""The replica set: found or initiated, and asked for its primary.

A MongoDB with access control and no users yet accepts ``replSetInitiate`` and the first
``createUser`` from its own loopback interface only (the localhost exception).  ``connect_member``
makes such a connection.  Who belongs to the set is the business of ``membership``, and how its
members are that of ``states``.
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

# replSetInitiate's own default, for sets where nobody waits for an election.
ELECTION_TIMEOUT = 10_000  # milliseconds

PAUSE = 0.25  # seconds between two looks at something that is not ready yet
LOOK_SECONDS = 2  # for one of several looks, because there may be nobody to answer


@dataclass(frozen=True, slots=True)
class Member:
    """A member as the set's configuration should have it: ``host`` is ``name:port``."""

    host: str
    priority: float = 1


def connect_member(host: str, tls: MongoTls | None = None) -> Client:
    """A client for the one member at ``host`` (``name:port``), whatever its state.

    Nobody logs in: enough for ``hello`` and for the localhost exception.
    """
    return MongoClient(
        host,
        directConnection=True,
        serverSelectionTimeoutMS=2_000,
        timeoutMS=10_000,
        **options(tls),
    )


def connect_set(name: str, hosts: Sequence[str], tls: MongoTls | None = None) -> Client:
    """A client for the primary of the replica set ``name``; nobody logs in."""
    return MongoClient(list(hosts), replicaSet=name, timeoutMS=10_000, **options(tls))


def poll(seconds: float) -> Iterator[None]:
    """Yield at once, and then again every ``PAUSE`` until ``seconds`` are over."""
    end = time.monotonic() + seconds
    yield
    while time.monotonic() < end:
        time.sleep(PAUSE)
        yield


def error_text(error: PyMongoError) -> str:
    """Return what MongoDB or the driver says, without the dump of its state that follows."""
    if isinstance(error, OperationFailure):
        return str((error.details or {}).get("errmsg") or error)
    return str(error).partition(", Timeout: ")[0]


def to_domain_error(what: str, error: PyMongoError) -> VaultError:
    """Return the domain's error for the driver's: ``what`` did not work, and why."""
    if isinstance(error, OperationFailure) and error.code == AUTHENTICATION_FAILED:
        return ConfigurationError(f"{what}: MongoDB does not know this user with this password")
    return StoreUnavailable(f"{what}: {error_text(error)}")


def hello_of(client: Client, name: str) -> dict[str, Any]:
    """Return what one member, of the replica set ``name`` or of none yet, says of itself.

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
    """Return the members of ``name`` as one member sees them; none where it is in no set.

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

    None means that all of them answered and none is in a set: only then may one be initiated.  A
    member that lost its data looks like a new one, and a second set of the same name would be
    the end of the first.

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
        " none is initiated"
    )


def initiate(client: Client, name: str, first: Member, election_timeout: int = ELECTION_TIMEOUT) -> bool:
    """Initiate the replica set ``name`` with the member ``first`` alone, unless it is there already.

    ``client`` talks to that member directly; ``election_timeout`` is in milliseconds.  Returns
    whether this call initiated it.

    Raises:
        ConfigurationError: the member belongs to another set.
        StoreUnavailable: it does not answer, or refuses.
    """
    config = {
        "_id": name,
        # Alone with priority 0 it could not become the primary: that has to wait for the others.
        "members": [{"_id": 0, "host": first.host, "priority": first.priority or 1}],
        "settings": {"electionTimeoutMillis": election_timeout},
    }
    if known_hosts(client, name):
        return False
    try:
        client.admin.command("replSetInitiate", config)
    except PyMongoError as error:
        # Between its start and the moment it has read its configuration, a member of an existing
        # set says hello like a new one; only the initiation itself finds the users or the configuration.
        if isinstance(error, OperationFailure) and error.code in (UNAUTHORIZED, ALREADY_INITIALIZED):
            return False
        raise to_domain_error(f"cannot initiate the replica set {name}", error) from error
    return True


def wait_for_primary(client: Client, seconds: float, other_than: str | None = None) -> str:
    """Return the primary (``name:port``) as soon as it takes writes.

    ``client`` talks to the set, or to the one member that is to become its primary.

    Raises:
        StoreUnavailable: there was none after ``seconds``; the message says what was seen last.
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
            raise to_domain_error("cannot look for the primary", error) from error
        host = str(hello.get("me"))
        if hello["isWritablePrimary"] and host != other_than:
            return host
        seen = str(hello.get("info") or f"{host}, a member of {hello.get('setName')}")
    kind = "other primary" if other_than else "primary"
    raise StoreUnavailable(f"no {kind} after {seconds:g} s; last seen: {seen}")
