"""What a manager's driver, plugin and token must be, and what they are."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

SCOPES = ["deliver:*"]
# As in service/swarm_driver/plugin.py.
_DESCRIPTION = re.compile(r"Gives Swarm services their secrets from the vault \(build (?P<build>\S+)\)")


def secret_driver_addresses(
    nodes: Iterable[Mapping[str, Any]], own: str, scheme: str, port: object
) -> list[str]:
    """Return where the API answers, for the node called ``own``: its own address first.

    Args:
        nodes: the variables of the nodes that open the API's port.
        own: the name of this node in the inventory; it need not be one of them.
        scheme: ``https`` or ``http``.
        port: the API's port.

    Raises:
        ValueError: there is no node.
    """
    ordered = sorted(nodes, key=lambda node: node["inventory_hostname"] != own)
    if not ordered:
        raise ValueError("no node opens the API's port: put one into the group api_nodes")
    return [f"{scheme}://{_bracketed(_address(node))}:{port}" for node in ordered]


def secret_driver_plugin_state(lines: Iterable[str], name: str, build: str) -> str:
    """Return ``absent``, ``foreign``, ``outdated``, ``disabled`` or ``current``.

    Args:
        lines: of ``docker plugin ls --no-trunc --format '{{ json . }}'``.
        name: the plugin's name, without tag.
        build: what the plugin's description must name.
    """
    for plugin in map(json.loads, lines):
        if plugin["Name"] != f"{name}:latest":
            continue
        match = _DESCRIPTION.fullmatch(plugin["Description"])
        if not match:
            return "foreign"
        if match["build"] != build:
            return "outdated"
        # The engine's template prints a bool, some versions a text.
        return "current" if str(plugin["Enabled"]).lower() == "true" else "disabled"
    return "absent"


def secret_driver_named_by(lines: Iterable[str], name: str) -> list[str]:
    """Return the Docker secrets that name the driver.

    Args:
        lines: of ``docker secret ls --format '{{ json . }}'``.
        name: the plugin's name, without tag.
    """
    return sorted(
        secret["Name"] for secret in map(json.loads, lines) if secret["Driver"] in {name, f"{name}:latest"}
    )


def secret_driver_tokens(lines: Iterable[str], name: str) -> list[str]:
    """Return the ids of the tokens with this name that are not revoked.

    Args:
        lines: of ``python -m service token list``.
        name: of the tokens.
    """
    return [
        token["token_id"]
        for token in map(json.loads, lines)
        if token["name"] == name and token["revoked_at"] is None
    ]


def secret_driver_token_is_good(
    lines: Iterable[str], token_id: str, name: str, networks: Sequence[str], seconds: int, now: str
) -> bool:
    """Return whether a manager may go on with the token that it has.

    It may not if the token is not listed (removed, or its record is altered), revoked, not as it would be
    created now, or has less than half of its lifetime left.

    Args:
        lines: of ``python -m service token list``.
        token_id: of the token that the manager has; may be empty.
        name: the name that the token must have.
        networks: the addresses to which it must be tied.
        seconds: the lifetime that it must have.
        now: the time, in ISO 8601 with its offset.
    """
    for token in map(json.loads, lines):
        if token["token_id"] == token_id:
            return bool(
                token["name"] == name
                and token["revoked_at"] is None
                and token["scopes"] == SCOPES
                and sorted(token["networks"]) == sorted(networks)
                and token["lifetime"] == seconds
                and 2 * _seconds_between(now, token["expires_at"]) >= seconds
            )
    return False


def _address(node: Mapping[str, Any]) -> str:
    """Return the address that the API's certificate has, preferably the one in the Swarm."""
    for variable in ("swarm_advertise_addr", "ansible_host"):
        address = str(node.get(variable) or "")
        # The engine also takes the name of an interface there.
        if "." in address or ":" in address:
            return address
    return str(node.get("ansible_host") or node["inventory_hostname"])


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _seconds_between(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {
            "secret_driver_addresses": secret_driver_addresses,
            "secret_driver_named_by": secret_driver_named_by,
            "secret_driver_plugin_state": secret_driver_plugin_state,
            "secret_driver_token_is_good": secret_driver_token_is_good,
            "secret_driver_tokens": secret_driver_tokens,
        }
