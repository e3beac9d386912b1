"""Which master keys the Swarm has, and which of them the service uses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

_ESCROW_LABEL = "secret-manager.escrow"
# Of a key that was restored and is not the primary one; all others have no such label.
_PRIMARY_LABEL = "secret-manager.primary"
# The file of a service that was deployed before keys could be rotated.
_SINGLE_FILE = "master_key"


def master_key_state(swarm: Mapping[str, Any], prefix: str, service: str) -> dict[str, Any]:
    """Read the state of the master keys.

    The service itself tells which key is its primary one, so that a run during a rotation, or after one,
    leaves it as it is.

    Args:
        swarm: ``secrets`` and ``services``, lists as ``docker inspect`` prints them, also of other things.
        prefix: what the keys' names begin with, such as ``master_key_v``; a number follows.
        service: the name of the service that uses them.

    Returns:
        ``names`` (the Swarm's keys, oldest first), ``escrowed`` (the sealed copy by key name), ``mounted``
        (the keys that the service has) and ``primary`` (the one with which it encrypts; without a service the
        newest but for those that were restored as others than the primary; without keys an empty text).

    Raises:
        ValueError: a label that should hold a sealed copy is no JSON.
    """
    numbered = re.compile(re.escape(prefix) + r"([0-9]+)")
    keys = [secret["Spec"] for secret in swarm["secrets"] if numbered.fullmatch(secret["Spec"]["Name"])]
    names = sorted((key["Name"] for key in keys), key=lambda name: int(name.removeprefix(prefix)))
    container: Mapping[str, Any] = next(
        (
            found["Spec"]["TaskTemplate"]["ContainerSpec"]
            for found in swarm["services"]
            if found["Spec"]["Name"] == service
        ),
        {},
    )
    others = {key["Name"] for key in keys if (key.get("Labels") or {}).get(_PRIMARY_LABEL) == "false"}
    mounts = [(mount["SecretName"], mount["File"]["Name"]) for mount in container.get("Secrets") or []]
    candidates = [
        *_values(container.get("Env") or [], "MASTER_KEY_PRIMARY"),
        *(name for name, file in mounts if file == _SINGLE_FILE),
        *(name for name in reversed(names) if name not in others),
        *reversed(names),
        "",
    ]
    return {
        "names": names,
        "escrowed": {
            key["Name"]: _sealed(key["Name"], key["Labels"][_ESCROW_LABEL])
            for key in keys
            if _ESCROW_LABEL in (key.get("Labels") or {})
        },
        "mounted": sorted(name for name, _ in mounts if numbered.fullmatch(name)),
        "primary": candidates[0],
    }


def master_key_to_export(
    escrowed: Mapping[str, Mapping[str, Any]], recipient: str, copies: Iterable[str]
) -> list[str]:
    """List the sealed keys that are still to be signed and written.

    Args:
        escrowed: the sealed copy by key name.
        recipient: the SHA-256 of the operator's current public key; what is sealed for another one is left.
        copies: the names of the files that are there, signed, such as ``master_key_v1.<key id>.json``.

    Returns:
        Each as one line of JSON.
    """
    return [
        json.dumps(sealed, separators=(",", ":"))
        for name, sealed in escrowed.items()
        if sealed["recipient"] == recipient and f"{name}.{sealed['key_id']}.json" not in copies
    ]


def _values(environment: Iterable[str], variable: str) -> list[str]:
    """Return the values that a variable has in ``NAME=VALUE`` lines."""
    return [value for name, _, value in (line.partition("=") for line in environment) if name == variable]


def _sealed(name: str, label: str) -> Any:
    """Read a sealed copy from its label."""
    try:
        return json.loads(label)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"the label {_ESCROW_LABEL} of the Docker secret {name} is no JSON: {error}"
        ) from error


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"master_key_state": master_key_state, "master_key_to_export": master_key_to_export}
