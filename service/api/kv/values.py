"""Vault's values are JSON objects, a secret's are bytes: one made of the other."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from ... import strict_json
from ...errors import InvalidFields


def to_bytes(data: Mapping[str, Any]) -> bytes:
    """Return an object as an import stores it: sorted names, no white space, all digits of numbers."""
    return strict_json.write(data).encode()


def to_object(value: bytes) -> dict[str, Any]:
    """Return the object that a value is, else its text as ``value``, or its bytes as ``value_base64``."""
    try:
        return _parse(value)
    except (ValueError, RecursionError):
        pass
    try:
        return {"value": value.decode()}
    except UnicodeDecodeError:
        return {"value_base64": base64.b64encode(value).decode()}


def merged(value: bytes, patch: Mapping[str, Any]) -> bytes:
    """Return a value changed by a JSON merge patch (RFC 7396).

    Raises:
        InvalidFields: the value is no object.
    """
    try:
        present = _parse(value)
    except (ValueError, RecursionError):
        raise InvalidFields(
            {"data": ["the secret's value is not a JSON object, so it cannot be patched: write it instead"]}
        ) from None
    return to_bytes(merge(present, patch))


def merge(present: Any, patch: Any) -> Any:
    """Return what a merge patch makes of a document."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(present) if isinstance(present, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge(result.get(name), value)
    return result


def names_only(value: Any, depth: int) -> Any:
    """Return an object with None in place of everything but objects, down to ``depth`` levels; 0 is all."""
    if not isinstance(value, Mapping):
        return None
    return {
        name: names_only(each, depth - 1) if depth != 1 and each != {} else None
        for name, each in value.items()
    }


def _parse(value: bytes) -> dict[str, Any]:
    text = value.decode()
    document, end = strict_json.read(text.lstrip(" \t\r\n"), 0)
    if not isinstance(document, dict) or text.lstrip(" \t\r\n")[end:].strip(" \t\r\n"):
        raise ValueError("not one JSON object")
    # It may have half a surrogate pair, which cannot be sent.
    strict_json.write(document).encode()
    return document
