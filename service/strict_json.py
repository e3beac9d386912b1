"""JSON, read strictly: no name twice in one object.  Numbers can keep their text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

# Longer ones, and those with digits or signs, may be values in the wrong place.
_WORD = re.compile(r"[A-Za-z][A-Za-z_]{0,39}", re.ASCII)


class RepeatedName(ValueError):
    """An object has a name twice: programs disagree on which of the two values counts."""

    def __init__(self, name: str) -> None:
        super().__init__("an object has a name twice")
        self.name = name


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is written; a float could not keep all its digits, nor 1.10 as 1.10."""

    text: str


def loads(body: bytes | str) -> Any:
    """Return a document with Python's numbers.

    Raises:
        RepeatedName: an object has a name twice.
        ValueError: it is not one JSON document.
        RecursionError: it is nested too deeply.
    """
    if isinstance(body, bytes):
        body = body.decode(json.detect_encoding(body), "surrogatepass")
    return _DECODER.decode(body)


def read(text: str, at: int) -> tuple[Any, int]:
    """Return the document at a position and the position after it; numbers are ``Number``.

    Raises:
        RepeatedName: an object has a name twice.
        ValueError: there is no JSON document; NaN and Infinity are none.
        RecursionError: it is nested too deeply.
    """
    return _EXACT.raw_decode(text, at)


def write(value: Any) -> str:
    """Return what ``read`` returned as JSON, with sorted names and without white space.

    Raises:
        RecursionError: it is nested too deeply.
    """
    match value:
        case Number():
            return value.text
        case dict():
            return "{" + ",".join(f"{_quote(name)}:{write(value[name])}" for name in sorted(value)) + "}"
        case list():
            return "[" + ",".join(write(item) for item in value) + "]"
    return _quote(value)


def describe_name(name: str) -> str:
    """Return how an error speaks of an unexpected name: a plain word is quoted, all else may be a value."""
    return f"`{name}`" if _WORD.fullmatch(name) else "one that is not a plain word"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise RepeatedName(next(name for name in names if names.count(name) > 1))
    return found


def _refuse(_constant: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


# Made once: json.loads and json.dumps make one for each call that has options.
_quote = json.JSONEncoder(ensure_ascii=False).encode
_DECODER = json.JSONDecoder(object_pairs_hook=_object)
_EXACT = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=Number, parse_int=Number, parse_constant=_refuse
)
