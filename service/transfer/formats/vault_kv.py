"""Reads what ``vault kv get -format=json`` prints, HashiCorp Vault's or OpenBao's, for both versions of KV.

Several documents may follow one another.  None says which path it came from, so whoever collects several
adds that as ``path``; the path of one without it is empty.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .line import LineError, ParsedLine, parsed_line


def looks_like_it(document: object) -> bool:
    """Return whether a JSON document is one of these."""
    return isinstance(document, dict) and isinstance(document.get("data"), dict)


def read(text: str, *, split: bool) -> Iterator[ParsedLine | LineError]:
    """Return the secrets or the problem of each document; its number is that of the document's first line.

    The value of a secret is the JSON object of its fields, its keys sorted, with no white space; or, where
    they are ``split``, there is one secret for each field below the path, and a text is taken as it is.
    """
    at = _past_space(text, 0)
    while at < len(text):
        number = text.count("\n", 0, at) + 1
        try:
            document, at = json.JSONDecoder().raw_decode(text, at)
        except (ValueError, RecursionError):
            yield LineError(number, "what begins here is no JSON document; nothing behind it was read")
            return
        try:
            yield from _secrets(number, document, split=split)
        except ValueError:
            # Half a surrogate pair, or a number that JSON cannot write.
            yield LineError(number, "it has a text or a number in it that cannot be written down")
        at = _past_space(text, at)


def _secrets(number: int, document: Any, *, split: bool) -> list[ParsedLine | LineError]:
    if not looks_like_it(document):
        return [LineError(number, "it has no data as `vault kv get -format=json` prints them")]
    path = document.get("path", "")
    if not isinstance(path, str):
        return [LineError(number, "its path is no text")]
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
    """Return the fields of a secret and what KV version 2 calls its custom metadata."""
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
