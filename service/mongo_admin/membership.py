"""The replica set's members, votes and priorities: changes its configuration step by step.

A change is a function that alters the given configuration and returns a line for each thing it changed, or
none if the configuration is as it should be.  So a change can be repeated after a race, and a run finishes
what an interrupted one began.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pymongo
from pymongo.errors import AutoReconnect, OperationFailure, PyMongoError

from ..errors import ConfigurationError, StoreUnavailable
from ..store.tls import MongoTls
from .member_states import member_states, step_down
from .replica_set import (
    LOOK_SECONDS,
    Client,
    Member,
    connect_member,
    error_text,
    hello_of,
    poll,
    to_domain_error,
    wait_for_primary,
)

Config = dict[str, Any]
Change = Callable[[Config], list[str]]

# Codes of mongod's error_codes.yml.
NODE_NOT_ELECTABLE = 104
# A majority does not know the last change yet (or this one, in time), a member did not answer the primary, or
# somebody else made a change at the same time: worth a retry.
RACES = {50, 74, 103, 109, 308}


def ensure_election_timeout(client: Client, milliseconds: int, seconds: float) -> list[str]:
    """Set how long members wait without a primary before they elect one; return what was changed.

    ``client`` is logged in as the administrator.

    Raises:
        StoreUnavailable: MongoDB rejects the change, or did not finish within ``seconds``.
    """

    def change(config: Config) -> list[str]:
        before = config["settings"]["electionTimeoutMillis"]
        if before == milliseconds:
            return []
        config["settings"]["electionTimeoutMillis"] = milliseconds
        return [f"election timeout changed from {before} ms to {milliseconds} ms"]

    return _reconfigure(client, change, seconds)


def ensure_members(
    client: Client, members: Sequence[Member], seconds: float, tls: MongoTls | None = None
) -> Iterator[str]:
    """Add missing members, set the votes and priorities of all; yield what was done.

    One at a time, as MongoDB requires, so that the majorities before and after always overlap.  A new member
    gets its vote only when it has the data: if an empty member counted, the set would stop as soon as
    another one fails.  Members that are not in ``members`` are left alone.  ``client`` is logged in as the
    administrator; ``seconds`` limits each wait.

    Raises:
        StoreUnavailable: MongoDB rejects a change, or did not finish in time.
    """
    for member in members:
        yield from _reconfigure(client, partial(_join, member, seconds, tls), seconds)
        yield from _reconfigure(client, partial(_give_vote, member, seconds, tls), seconds)
    yield from _reconfigure(client, partial(_give_priorities, members), seconds)


def remove(client: Client, host: str, seconds: float) -> Iterator[str]:
    """Remove the member at ``host`` from the set; if it is the primary, step it down first.

    Yields what was done.  ``client`` is logged in as the administrator; ``seconds`` limits each wait.

    Raises:
        ConfigurationError: it is the last member.
        StoreUnavailable: the remaining members would have no majority, or MongoDB rejects the change.
    """

    def change(config: Config) -> list[str]:
        if _find(config, host) is None:
            return []
        config["members"] = [member for member in config["members"] if member["host"] != host]
        _require_majority(config, host, member_states(client))
        return [f"removed {host} from the replica set {config['_id']}"]

    # Errors that prevent the removal are raised here, before the member steps down.
    if change(_read(client, seconds)) and (primary := step_down(client, seconds, only=host)):
        yield f"{primary} is the primary now"
    yield from _reconfigure(client, change, seconds)


def _join(new: Member, seconds: float, tls: MongoTls | None, config: Config) -> list[str]:
    if _find(config, new.host):
        return []
    _wait_for(new.host, config["_id"], "ok", seconds, tls)
    number = max(member["_id"] for member in config["members"]) + 1
    config["members"].append({"_id": number, "host": new.host, "votes": 0, "priority": 0})
    return [f"added {new.host} to the replica set {config['_id']}"]


def _give_vote(new: Member, seconds: float, tls: MongoTls | None, config: Config) -> list[str]:
    found = _find(config, new.host)
    if found is None or found["votes"]:
        return []
    _wait_for(new.host, config["_id"], "secondary", seconds, tls)
    found["votes"], found["priority"] = 1, new.priority
    return [f"gave {new.host} its vote"]


def _give_priorities(members: Sequence[Member], config: Config) -> list[str]:
    done = []
    for member in members:
        found = _find(config, member.host)
        if found and found["priority"] != member.priority:
            done.append(
                f"priority of {member.host} changed from {found['priority']:g} to {member.priority:g}"
            )
            found["priority"] = member.priority
    return done


def _require_majority(config: Config, host: str, states: dict[str, str]) -> None:
    if not config["members"]:
        raise ConfigurationError(
            f"{host} is the last member of the replica set {config['_id']}: it is not removed"
        )
    voters = [member["host"] for member in config["members"] if member["votes"]]
    healthy = [voter for voter in voters if states.get(voter) in ("PRIMARY", "SECONDARY", "ARBITER")]
    if 2 * len(healthy) <= len(voters):
        remaining = ", ".join(f"{member} {states.get(member, 'UNKNOWN')}" for member in voters)
        raise StoreUnavailable(
            f"without {host} the replica set has no majority: {remaining or 'no member'} would remain to vote"
        )


def _find(config: Config, host: str) -> dict[str, Any] | None:
    return next((member for member in config["members"] if member["host"] == host), None)


def _wait_for(host: str, name: str, flag: str, seconds: float, tls: MongoTls | None) -> None:
    """Wait until the member's own hello has ``flag``: the primary knows of it only two seconds later."""
    seen = ""
    with connect_member(host, tls) as member:
        for _ in poll(seconds):
            try:
                with pymongo.timeout(LOOK_SECONDS):
                    if hello_of(member, name).get(flag):
                        return
                seen = "it does not have all data yet"
            except StoreUnavailable as error:
                seen = str(error)
    raise StoreUnavailable(f"{host} was not ready after {seconds:g} s: {seen}")


def _read(client: Client, seconds: float) -> Config:
    wait_for_primary(client, seconds)
    try:
        config: Config = client.admin.command("replSetGetConfig")["config"]
    except PyMongoError as error:
        raise to_domain_error("cannot read the replica set's configuration", error) from error
    return config


def _reconfigure(client: Client, change: Change, seconds: float) -> list[str]:
    """Apply ``change`` to the configuration, with retries, and return what it changed."""
    done: list[str] = []
    seen = ""
    for _ in poll(seconds):
        try:
            config = client.admin.command("replSetGetConfig")["config"]
            # If the answer to a change was lost, the change is not made again, but it is reported.
            if not (changes := change(config)):
                return done
            done = changes
            config["version"] += 1
            client.admin.command("replSetReconfig", config)
        except AutoReconnect as error:
            seen = error_text(error)  # the primary has changed, or is gone
        except OperationFailure as error:
            # The primary cannot set its own priority to 0; the next primary can.
            if error.code == NODE_NOT_ELECTABLE and step_down(client, seconds):
                continue
            if error.code not in RACES:
                raise to_domain_error("the replica set refuses a change", error) from error
            seen = error_text(error)
        except PyMongoError as error:
            raise to_domain_error("the replica set does not answer", error) from error
        else:
            return done
    raise StoreUnavailable(f"the replica set did not accept a change within {seconds:g} s: {seen}")
