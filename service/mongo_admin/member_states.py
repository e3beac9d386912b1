"""What state the members are in: asked, waited for, and exchanged between two of them."""

from __future__ import annotations

import pymongo
from pymongo import ReadPreference
from pymongo.errors import AutoReconnect, PyMongoError

from ..errors import StoreUnavailable
from .replica_set import LOOK_SECONDS, Client, poll, to_domain_error, wait_for_primary

# The old primary stays out of elections for this long, and waits this long for another to catch up.
_STEP_DOWN_SECONDS = 30
_CATCH_UP_SECONDS = 10


def member_states(client: Client) -> dict[str, str]:
    """Return the state of each member by its host: ``PRIMARY``, ``SECONDARY``, …, ``DOWN``.

    As the primary sees them or, where there is none, another member.  ``client`` is logged in as
    the administrator.

    Raises:
        ConfigurationError: MongoDB does not let the administrator in.
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
    """Return the members' states in words."""
    return ", ".join(f"{host} {state}" for host, state in states.items())


def wait_until_whole(client: Client, seconds: float) -> None:
    """Return once there is one primary and every other member is a healthy secondary.

    ``client`` is logged in as the administrator.

    Raises:
        ConfigurationError: MongoDB does not let the administrator in.
        StoreUnavailable: it was not so within ``seconds``; the message has each member's state.
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
    raise StoreUnavailable(f"the replica set is not whole after {seconds:g} s: {seen}")


def step_down(client: Client, seconds: float, only: str | None = None) -> str | None:
    """Let another member be the primary, and return which; None where nothing is to do.

    That is so where no other member can be elected, and where ``only`` (``name:port``) is not the
    primary.  ``client`` is logged in as the administrator.

    Raises:
        ConfigurationError: MongoDB does not let the administrator in.
        StoreUnavailable: no other member has caught up, or none was elected within ``seconds``.
    """
    primary = wait_for_primary(client, seconds)
    if only not in (None, primary):
        return None
    try:
        # Those who can never be elected, with priority 0, are in "passives" instead.
        heirs = [host for host in client.admin.command("hello")["hosts"] if host != primary]
        if not heirs:
            return None
        states = member_states(client)
        # MongoDB would find out by itself, but takes no writes while it waits for one to catch up.
        if not any(states.get(heir) == "SECONDARY" for heir in heirs):
            raise StoreUnavailable(f"{primary} cannot hand over: {describe(states)}")
        client.admin.command(
            "replSetStepDown", _STEP_DOWN_SECONDS, secondaryCatchUpPeriodSecs=_CATCH_UP_SECONDS
        )
    except AutoReconnect:
        pass  # it may cut the connection that asked; who is the primary next tells whether it went
    except PyMongoError as error:
        raise to_domain_error(f"{primary} cannot hand over", error) from error
    return wait_for_primary(client, seconds, other_than=primary)
