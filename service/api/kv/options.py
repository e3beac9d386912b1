"""The options of secrets and mounts, as Vault's clients send them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import InvalidFields
from ...secrets.options import MAX_KEPT_VERSIONS, MAX_SECONDS, SecretOptions
from ...strict_json import Number
from . import body, go


def parse(sent: Mapping[str, Any]) -> SecretOptions:
    """Return the options that are sent, but custom metadata; 0 stands for the default.

    Raises:
        InvalidFields: one is malformed or out of range.
    """
    options = SecretOptions()
    if (value := sent.get("max_versions")) is not None:
        options["max_versions"] = _max_versions(value)
    if (value := sent.get("cas_required")) is not None:
        options["cas_required"] = _flag(value)
    if (value := sent.get("delete_version_after")) is not None:
        options["delete_version_after"] = _seconds(value)
    return options


def _max_versions(value: object) -> int:
    try:
        number = body.integer(value)
    except ValueError:
        number = -1
    if not 0 <= number <= MAX_KEPT_VERSIONS:
        raise InvalidFields({"max_versions": [f"max_versions must be from 0 to {MAX_KEPT_VERSIONS}"]})
    return number


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    text = value.text if isinstance(value, Number) else value
    try:
        return body.boolean(text if isinstance(text, str) else "")
    except ValueError:
        raise InvalidFields({"cas_required": ["cas_required must be true or false"]}) from None


def _seconds(value: object) -> int | None:
    """Return a duration; None is none at all, as 0, less and an empty text."""
    if value == "":
        return None
    try:
        seconds = go.parse_duration(value)
    except ValueError:
        seconds = MAX_SECONDS + 1
    if seconds > MAX_SECONDS:
        raise InvalidFields(
            {"delete_version_after": ["delete_version_after must be a duration such as 90, 90m or 1h30m"]}
        )
    return seconds if seconds > 0 else None
