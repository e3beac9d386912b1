"""The bodies that Vault's clients send: JSON, whatever their content type says."""

from __future__ import annotations

import re
from typing import Any

from flask import request

from ... import strict_json
from ...errors import MalformedJson
from ..request_body import read_body

_WHITE_SPACE = " \t\r\n"
_INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_FAILED = "failed to decode JSON input: "


def read_object() -> dict[str, Any]:
    """Return the object in the current request's body, in which numbers are ``strict_json.Number``.

    No body is an empty object, and so is ``null``, which some clients send.

    Raises:
        MalformedJson: it is not one JSON object, or has text that is not Unicode.
        EncodedBody, TooLarge: it cannot be read.
    """
    try:
        text = read_body().decode().strip(_WHITE_SPACE)
        document, end = strict_json.read(text, 0) if text else (None, 0)
        # Half a surrogate pair cannot be stored, nor sent back.
        strict_json.write(document).encode()
    except strict_json.RepeatedName:
        raise MalformedJson(_FAILED + "a name is twice in one object: send each name once") from None
    except (ValueError, RecursionError):
        raise MalformedJson(_FAILED + "the body is not a JSON document in UTF-8") from None
    if end != len(text):
        raise MalformedJson(_FAILED + "something follows the JSON document")
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise MalformedJson(_FAILED + "it must be an object")
    return document


def integer(value: object) -> int:
    """Return a whole number that was sent as a number or as a text.

    Raises:
        ValueError: it is neither.
    """
    text = value.text if isinstance(value, strict_json.Number) else value
    if not isinstance(text, str) or not _INTEGER.fullmatch(text.strip()):
        raise ValueError("not a whole number")
    return int(text)


def flag(name: str) -> bool:
    """Return a truth value of the query; none is false.

    Raises:
        ValueError: as ``boolean``.
    """
    text = request.args.get(name)
    return boolean(text) if text else False


def boolean(text: str) -> bool:
    """Return a truth value, as Go writes them.

    Raises:
        ValueError: it is not one of them.
    """
    match text:
        case "0" | "f" | "F" | "false" | "FALSE" | "False":
            return False
        case "1" | "t" | "T" | "true" | "TRUE" | "True":
            return True
    raise ValueError("not a truth value")
