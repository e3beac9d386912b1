"""Reads the documents of a file, JSON or YAML: objects, arrays, texts, ``Number``, booleans and null.

A file may have several documents, one after the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ... import strict_json
from ...strict_json import RepeatedName, describe_name
from . import yaml_documents
from .line import LineError


def read(text: str) -> Iterator[tuple[int, Any] | LineError]:
    """Yield each document of JSON or YAML with the number of its first line; an error is the last.

    An error has the number of the document in which it is.
    """
    return read_json(text) if text.lstrip()[:1] in ("{", "[") else yaml_documents.read(text)


def read_json(text: str) -> Iterator[tuple[int, Any] | LineError]:
    """Yield the same of JSON."""
    at = _past_space(text, 0)
    while at < len(text):
        number = text.count("\n", 0, at) + 1
        try:
            document, at = strict_json.read(text, at)
        except RepeatedName as error:
            yield LineError(number, repeated(error))
            return
        except (ValueError, RecursionError) as error:
            where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
            yield LineError(number, f"not a JSON document{where}; the rest of the file was not read")
            return
        yield number, document
        at = _past_space(text, at)


def repeated(error: RepeatedName) -> str:
    """Return the text of the error for a name that an object has twice."""
    return (
        f"an object has a name twice, {describe_name(error.name)}, and programs disagree on which value"
        " counts: remove one"
    )


def _past_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at
