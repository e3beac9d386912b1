"""Who belongs to the replica set, and with which weight: its configuration, changed step by step.

A change is a function that alters the configuration it is given and returns what it changed, in
words: nothing, where the configuration is as it should be.  So each can be tried again after a
race, and a run that was interrupted is finished by the next.
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
# The last change is not yet known to a majority (or this one, in time), a member did not answer
# the primary, or somebody else made a change meanwhile: worth another try.
RACES = {50, 74, 103, 109, 308}


def ensure_election_timeout(client: Client, milliseconds: int, seconds: float) -> list[str]:
    """Set how long members do without a primary before they elect one; return what was changed.

    ``client`` is logged in as the administrator.

    Raises:
        StoreUnavailable: MongoDB refuses, or was not through after ``seconds``.
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
    """Add those of ``members`` that the set lacks, give all their votes and priorities; yield what was done.

    One at a time, as MongoDB demands, so that the majorities of before and after always overlap.
    A new member has no vote until it has the data: counted while it is empty, it would bring the
    set to a halt as soon as one other fails.  A member that is not named is left alone.
    ``client`` is logged in as the administrator; ``seconds`` bounds each wait.

    Raises:
        StoreUnavailable: MongoDB refuses, or was not through in time.
    """
    for member in members:
        yield from _reconfigure(client, partial(_join, member, seconds, tls), seconds)
        yield from _reconfigure(client, partial(_give_vote, member, seconds, tls), seconds)
    yield from _reconfigure(client, partial(_give_priorities, members), seconds)


def remove(client: Client, host: str, seconds: float) -> Iterator[str]:
    """Take the member at ``host`` out of the set, after it has handed over; yield what was done.

    ``client`` is logged in as the administrator; ``seconds`` bounds each wait.

    Raises:
        ConfigurationError: it is the last one.
        StoreUnavailable: those who remain would have no majority, or MongoDB refuses.
    """

    def change(config: Config) -> list[str]:
        if _find(config, host) is None:
            return []
        config["members"] = [member for member in config["members"] if member["host"] != host]
        _demand_majority(config, host, member_states(client))
        return [f"removed {host} from the replica set {config['_id']}"]

    # Nobody hands over in vain: what speaks against the removal is found before.
    if change(_read(client, seconds)) and (heir := step_down(client, seconds, only=host)):
        yield f"{heir} is the primary now"
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


def _demand_majority(config: Config, host: str, states: dict[str, str]) -> None:
    if not config["members"]:
        raise ConfigurationError(
            f"{host} is the last member of the replica set {config['_id']}: it is not removed"
        )
    voters = [member["host"] for member in config["members"] if member["votes"]]
    healthy = [voter for voter in voters if states.get(voter) in ("PRIMARY", "SECONDARY", "ARBITER")]
    if 2 * len(healthy) <= len(voters):
        remaining = ", ".join(f"{member} {states.get(member, 'UNKNOWN')}" for member in voters)
        raise StoreUnavailable(
            f"without {host} the replica set has no majority: {remaining or 'nobody'} would remain to vote"
        )


def _find(config: Config, host: str) -> dict[str, Any] | None:
    return next((member for member in config["members"] if member["host"] == host), None)


def _wait_for(host: str, name: str, sign: str, seconds: float, tls: MongoTls | None) -> None:
    """Return as soon as the member's own hello has ``sign``: the primary knows of it two seconds later."""
    seen = ""
    with connect_member(host, tls) as member:
        for _ in poll(seconds):
            try:
                with pymongo.timeout(LOOK_SECONDS):
                    if hello_of(member, name).get(sign):
                        return
                seen = "it has not all data yet"
            except StoreUnavailable as error:
                seen = str(error)
    raise StoreUnavailable(f"{host} was not ready after {seconds:g} s: {seen}")


def _read(client: Client, seconds: float) -> Config:
    wait_for_primary(client, seconds)
    try:
        config: Config = client.admin.command("replSetGetConfig")["config"]
    except PyMongoError as error:
        raise to_domain_error("the replica set does not tell its configuration", error) from error
    return config


def _reconfigure(client: Client, change: Change, seconds: float) -> list[str]:
    """Bring the configuration where ``change`` wants it, and return what that was, in words."""
    done: list[str] = []
    seen = ""
    for _ in poll(seconds):
        try:
            config = client.admin.command("replSetGetConfig")["config"]
            # A change whose answer got lost is not made again, but it is told.
            if not (changes := change(config)):
                return done
            done = changes
            config["version"] += 1
            client.admin.command("replSetReconfig", config)
        except AutoReconnect as error:
            seen = error_text(error)  # the primary has changed, or went
        except OperationFailure as error:
            # The primary cannot give itself priority 0: the next one can.
            if error.code == NODE_NOT_ELECTABLE and step_down(client, seconds):
                continue
            if error.code not in RACES:
                raise to_domain_error("the replica set refuses a change", error) from error
            seen = error_text(error)
        except PyMongoError as error:
            raise to_domain_error("the replica set does not answer", error) from error
        else:
            return done
    raise StoreUnavailable(f"the replica set did not take a change in {seconds:g} s: {seen}")
