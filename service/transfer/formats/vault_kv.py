"""Reads the output of ``vault kv get -format=json`` of HashiCorp Vault or OpenBao, for KV versions 1 and 2.

A file may have several documents.  They do not contain their path, so the user adds it as ``path``; without
it, the path is empty.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .line import LineError, ParsedLine, parsed_line


def looks_like_it(document: object) -> bool:
    """Return whether a JSON document looks like one of these."""
    return isinstance(document, dict) and isinstance(document.get("data"), dict)


def read(text: str, *, split: bool) -> Iterator[ParsedLine | LineError]:
    """Yield the secrets or the error in each document, with the number of the document's first line.

    The value of a secret is the JSON object of its fields, with sorted keys and without white space.  With
    ``split``, each field is a secret below the path; a text is its value as it is, anything else as JSON.
    """
    at = _past_space(text, 0)
    while at < len(text):
        number = text.count("\n", 0, at) + 1
        try:
            document, at = json.JSONDecoder().raw_decode(text, at)
        except (ValueError, RecursionError):
            yield LineError(number, "not a JSON document; the rest of the file was not read")
            return
        try:
            yield from _secrets(number, document, split=split)
        except ValueError:
            # Half a surrogate pair, or a number that JSON does not have.
            yield LineError(number, "it contains a text or a number that JSON cannot represent")
        at = _past_space(text, at)


def _secrets(number: int, document: Any, *, split: bool) -> list[ParsedLine | LineError]:
    if not looks_like_it(document):
        return [LineError(number, "it has no `data` object as `vault kv get -format=json` prints it")]
    path = document.get("path", "")
    if not isinstance(path, str):
        return [LineError(number, "its `path` is not a string")]
    fields, labels = _fields(document["data"])
    if not isinstance(fields, dict):
        return [LineError(number, "it has no data: this version was deleted or destroyed")]
    more = {"labels": labels} if labels else {}
    if not split:
        return [parsed_line(number, path, _canonical(fields), **more)]
    folder = f"{path.rstrip('/')}/" if path else ""
    return [
        parsed_line(
            number, folder + name, value.encode() if isinstance(value, str) else _canonical(value), **more
        )
        for name, value in fields.items()
    ]


def _fields(data: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the fields of a secret, and the custom metadata of KV version 2 (None in version 1)."""
    metadata = data.get("metadata")
    if data.keys() == {"data", "metadata"} and isinstance(metadata, dict) and "created_time" in metadata:
        return data["data"], metadata.get("custom_metadata")
    return data, None


def _canonical(value: object) -> bytes:
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def _past_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at
