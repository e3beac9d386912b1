"""The replica set: initiated once, joined by further members, asked for its primary.

A MongoDB with access control and no users yet accepts ``replSetInitiate`` and the first
``createUser`` from its own loopback interface only (the localhost exception).  ``connect_member``
makes such a connection; everything else here works with any client.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from ..errors import StoreUnavailable

# Codes of mongod's error_codes.yml.
ALREADY_INITIALIZED = 23
# The last change of the configuration is not yet known to a majority, or somebody else made one
# meanwhile: worth another try.
RECONFIGURATION_RACES = {103, 109, 308}
NOT_YET_INITIALIZED = 94

PAUSE = 0.25  # seconds between two looks at a member that is not ready yet


def connect_member(host: str) -> MongoClient[dict[str, Any]]:
    """A client for the one member at ``host`` (``name:port``), whatever its state.

    Nobody logs in: enough for ``hello`` and for the localhost exception.
    """
    return MongoClient(
        host,
        directConnection=True,
        serverSelectionTimeoutMS=2_000,
        timeoutMS=10_000,
    )


def initiate(client: MongoClient[dict[str, Any]], name: str, members: Sequence[str]) -> bool:
    """Initiate the replica set ``name`` with ``members`` (``name:port``), unless it is there already.

    ``client`` talks to one member directly.  Returns whether this call initiated it; what an
    existing set consists of is neither compared nor changed.

    Raises:
        StoreUnavailable: the member does not answer, refuses, or belongs to another set.
    """
    config = {"_id": name, "members": [{"_id": number, "host": host} for number, host in enumerate(members)]}
    try:
        current = client.admin.command("hello").get("setName")
        if current is None:
            client.admin.command("replSetInitiate", config)
            return True
    except OperationFailure as error:
        # Between its start and the moment it has read its configuration, a member of an existing
        # set says hello like a new one; only the initiation itself finds the configuration.
        if error.code == ALREADY_INITIALIZED:
            return False
        raise StoreUnavailable(f"the member refuses to initiate {name}: {error.details or error}") from error
    except PyMongoError as error:
        raise StoreUnavailable(f"the member does not answer: {error}") from error
    if current != name:
        raise StoreUnavailable(f"the member belongs to the replica set {current}, not to {name}")
    return False


def add_members(client: MongoClient[dict[str, Any]], members: Sequence[str], seconds: float) -> list[str]:
    """Add those of ``members`` (``name:port``) that the set does not have; return which these were.

    ``client`` is logged in as the administrator.  One at a time, as MongoDB demands, so that the
    majorities of before and after always overlap.  A member that is not named is left alone.

    Raises:
        StoreUnavailable: MongoDB refuses, or was not through after ``seconds``.
    """
    deadline = time.monotonic() + seconds
    added: list[str] = []
    for host in members:
        while not _add(client, host, added):
            if time.monotonic() >= deadline:
                raise StoreUnavailable(f"the replica set did not take {host} in {seconds:g} s")
            time.sleep(PAUSE)
    return added


def _add(client: MongoClient[dict[str, Any]], host: str, added: list[str]) -> bool:
    try:
        config = client.admin.command("replSetGetConfig")["config"]
        if any(member["host"] == host for member in config["members"]):
            return True
        number = max(member["_id"] for member in config["members"]) + 1
        config["members"].append({"_id": number, "host": host})
        config["version"] += 1
        client.admin.command("replSetReconfig", config)
    except OperationFailure as error:
        if error.code in RECONFIGURATION_RACES:
            return False
        raise StoreUnavailable(f"the replica set refuses {host}: {error}") from error
    except PyMongoError as error:
        raise StoreUnavailable(f"the replica set does not answer: {error}") from error
    added.append(host)
    return True


def wait_for_primary(client: MongoClient[dict[str, Any]], seconds: float) -> None:
    """Return as soon as the member that ``client`` talks to is a primary that takes writes, or knows another.

    Raises:
        StoreUnavailable: there was none after ``seconds``; the message says what was seen last.
    """
    deadline = time.monotonic() + seconds
    seen = "nothing"
    while True:
        try:
            hello = client.admin.command("hello")
            # A member that was just elected names itself before it takes writes.
            if hello.get("isWritablePrimary") or hello.get("primary") not in (None, hello.get("me")):
                return
            seen = str(hello.get("info") or f"a member of {hello.get('setName')} that knows no primary")
        except PyMongoError as error:
            seen = str(error)
        if time.monotonic() >= deadline:
            raise StoreUnavailable(f"no primary after {seconds:g} s; last seen: {seen}")
        time.sleep(PAUSE)
