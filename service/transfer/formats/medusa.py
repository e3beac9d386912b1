"""Reads trees of Vault's KV secrets as medusa 0.7 exports them, in YAML or JSON.

An object whose values are objects is a folder, any other is a secret's fields.  The tree does not say more,
so a secret all of whose values are objects is read as a folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from . import documents, fields, foreign
from .line import Line, LineError, NullLine


def read(text: str, *, split: bool) -> Iterator[Line]:
    """Yield the secrets and errors of the tree, each with the number of the secret in it."""
    numbers = count(1)
    for found in documents.read(text):
        if isinstance(found, LineError):
            yield found
        elif isinstance(tree := found[1], dict):
            yield from _walk(numbers, "", tree, split=split)
        else:
            yield LineError(next(numbers), "the tree is not an object")


def _walk(numbers: Iterator[int], path: str, node: Mapping[str, Any], *, split: bool) -> Iterator[Line]:
    folders = {name: value for name, value in node.items() if isinstance(value, dict)}
    if not folders:
        number = next(numbers)
        # Where a secret was deleted, medusa finds a name and nothing in it.
        yield from (fields.read_named(number, path, node, split=split) if node else [NullLine(number, path)])
        return
    if any(value is not None for name, value in node.items() if name not in folders):
        yield LineError(
            next(numbers),
            f"{foreign.quoted(path)} has both values and folders: medusa merges a secret with the folder of"
            " the same name, so import this secret by itself, as `vault kv get -format=json` prints it",
        )
        return
    for name, value in node.items():
        below = f"{path}/{name}" if path else name
        if value is None:
            yield NullLine(next(numbers), below)
        else:
            yield from _walk(numbers, below, value, split=split)
