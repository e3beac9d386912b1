"""The TLS modes of the members of the replica set, and the options of its set-up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

_OPTION = "--tlsMode="


def mongo_tls_modes(
    services: Iterable[Mapping[str, Any]], members: Iterable[Mapping[str, Any]]
) -> dict[str, str]:
    """Read the TLS mode of each member that has a service.

    Args:
        services: as ``docker service inspect`` prints them; others may be among them.
        members: as ``swarm_names_members`` returns them.

    Returns:
        By the member's name the mode, such as ``requireTLS``; ``disabled`` if its command has no mode.
    """
    commands = {
        service["Spec"]["Name"]: service["Spec"]["TaskTemplate"]["ContainerSpec"].get("Command") or []
        for service in services
    }
    return {
        member["name"]: next(
            (word.removeprefix(_OPTION) for word in commands[member["service"]] if word.startswith(_OPTION)),
            "disabled",
        )
        for member in members
        if member["service"] in commands
    }


def mongo_member_options(members: Iterable[Mapping[str, Any]]) -> str:
    """Write the members as options of ``mongo setup``: address and priority of each."""
    return " ".join(f"--member {member['name']}:27017,{member['priority']}" for member in members)


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"mongo_member_options": mongo_member_options, "mongo_tls_modes": mongo_tls_modes}
