"""The members' states: query them, wait until all are healthy, step down the primary."""

from __future__ import annotations

import pymongo
from pymongo import ReadPreference
from pymongo.errors import AutoReconnect, PyMongoError

from ..errors import StoreUnavailable
from .replica_set import LOOK_SECONDS, Client, poll, to_domain_error, wait_for_primary

# The old primary stays out of elections for so long, and waits so long for another member to catch up.
_STEP_DOWN_SECONDS = 30
_CATCH_UP_SECONDS = 10


def member_states(client: Client) -> dict[str, str]:
    """Return the state of each member by its host: ``PRIMARY``, ``SECONDARY``, …, ``DOWN``.

    The states are as the primary sees them or, if there is none, another member.  ``client`` is logged in as
    the administrator.

    Raises:
        ConfigurationError: MongoDB rejects the administrator's login.
        StoreUnavailable: no member answers.
    """
    try:
        try:
            with pymongo.timeout(LOOK_SECONDS):
                status = client.admin.command("replSetGetStatus")
        except AutoReconnect:
            with pymongo.timeout(LOOK_SECONDS):
                status = client.admin.command("replSetGetStatus", read_preference=ReadPreference.NEAREST)
    except PyMongoError as error:
        raise to_domain_error("the replica set does not answer", error) from error
    return {
        member["name"]: member["stateStr"] if member["health"] else "DOWN" for member in status["members"]
    }


def describe(states: dict[str, str]) -> str:
    """Return the members' states as text."""
    return ", ".join(f"{host} {state}" for host, state in states.items())


def wait_until_whole(client: Client, seconds: float) -> None:
    """Wait until there is one primary and every other member is a healthy secondary.

    ``client`` is logged in as the administrator.

    Raises:
        ConfigurationError: MongoDB rejects the administrator's login.
        StoreUnavailable: this took longer than ``seconds``; the message has each member's state.
    """
    seen = ""
    for _ in poll(seconds):
        try:
            states = member_states(client)
        except StoreUnavailable as error:
            seen = str(error)
            continue
        if sorted(states.values()) == ["PRIMARY"] + ["SECONDARY"] * (len(states) - 1):
            return
        seen = describe(states)
    raise StoreUnavailable(f"the replica set is not healthy after {seconds:g} s: {seen}")


def step_down(client: Client, seconds: float, only: str | None = None) -> str | None:
    """Make another member the primary, and return it; None if there is nothing to do.

    There is nothing to do if no other member can be elected, or if ``only`` (``name:port``) is not the
    primary.  ``client`` is logged in as the administrator.

    Raises:
        ConfigurationError: MongoDB rejects the administrator's login.
        StoreUnavailable: no other member is up to date, or none was elected within ``seconds``.
    """
    primary = wait_for_primary(client, seconds)
    if only not in (None, primary):
        return None
    try:
        # "passives" has the members that can never be elected, because their priority is 0.
        candidates = [host for host in client.admin.command("hello")["hosts"] if host != primary]
        if not candidates:
            return None
        states = member_states(client)
        # MongoDB checks this too, but accepts no writes while it waits for a member to catch up.
        if not any(states.get(candidate) == "SECONDARY" for candidate in candidates):
            raise StoreUnavailable(
                f"{primary} cannot hand over, as no other member is a healthy secondary: {describe(states)}"
            )
        client.admin.command(
            "replSetStepDown", _STEP_DOWN_SECONDS, secondaryCatchUpPeriodSecs=_CATCH_UP_SECONDS
        )
    except AutoReconnect:
        pass  # stepping down may close this connection; the next primary shows whether it worked
    except PyMongoError as error:
        raise to_domain_error(f"{primary} cannot hand over", error) from error
    return wait_for_primary(client, seconds, other_than=primary)
