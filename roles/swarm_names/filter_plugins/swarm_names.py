"""The members of MongoDB's replica set, and what each of them is called."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def swarm_names_members(hosts: Iterable[Mapping[str, Any]], prefix: str) -> list[dict[str, Any]]:
    """Name the members that run on these hosts, in the order of the hosts.

    Args:
        hosts: the variables of each host of the group ``mongo_members``.  ``mongo_member`` is the member's
            number, by default its place in the list, from 1; ``mongo_priority`` is its priority in elections.
        prefix: what a member's service is called without its number, such as ``secret-manager_mongodb-``.

    Returns:
        For each member ``host``, ``number`` (text, as in labels), ``name`` (in the replica set and in DNS),
        ``service`` (in the Swarm; its volume has the same name) and ``priority``.
    """
    members = []
    for place, host in enumerate(hosts, start=1):
        number = str(host.get("mongo_member", place))
        members.append(
            {
                "host": host["inventory_hostname"],
                "number": number,
                "name": f"mongodb-{number}",
                "service": prefix + number,
                "priority": host.get("mongo_priority", 1),
            }
        )
    return members


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"swarm_names_members": swarm_names_members}
