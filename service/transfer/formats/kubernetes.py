"""Reads secrets of Kubernetes: ``kubectl get secret NAME -o json`` or ``-o yaml``, and manifests.

As in the API's version v1: ``data`` is base64, ``stringData`` is text and takes precedence.  The path is the
secret's name; labels, annotations and the namespace are for Kubernetes, and are left out.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from . import documents, fields, foreign
from .line import Line, LineError


class _Invalid(Exception):
    """The document cannot be imported; the message says why."""


def looks_like_it(document: object) -> bool:
    """Return whether a document says that it is a secret of Kubernetes."""
    return isinstance(document, dict) and document.get("kind") == "Secret" and "apiVersion" in document


def read(text: str, *, split: bool) -> Iterator[Line]:
    """Yield the secrets or the error in each document, with the number of the document's first line."""
    for found in documents.read(text):
        if isinstance(found, LineError):
            yield found
            continue
        number, document = found
        try:
            name, values = _secret(document, split=split)
        except _Invalid as error:
            yield LineError(number, str(error))
        else:
            yield from fields.read_named(number, name, values, split=split)


def _secret(document: Any, *, split: bool) -> tuple[str, dict[str, str | bytes]]:
    """Return the name and the decoded values: texts, and with ``split`` also bytes."""
    if not looks_like_it(document):
        what = foreign.describe(document) or "something else"
        raise _Invalid(f"a secret of Kubernetes is expected, and this looks like {what}")
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(name, str):
        raise _Invalid("it has no name in `metadata`")
    encoded, texts = document.get("data") or {}, document.get("stringData") or {}
    if not isinstance(encoded, dict) or not isinstance(texts, dict):
        raise _Invalid("its `data` or its `stringData` is not an object")
    if not encoded and not texts:
        raise _Invalid("it has neither `data` nor `stringData`")
    values: dict[str, str | bytes] = {key: _decoded(key, value) for key, value in encoded.items()}
    for key, value in texts.items():
        if not isinstance(value, str):
            raise _Invalid(f"the value of {foreign.quoted(key)} in `stringData` is not a text")
        values[key] = value
    return name, values if split else {key: _text(key, value) for key, value in values.items()}


def _decoded(key: str, value: object) -> bytes:
    try:
        if not isinstance(value, str):
            raise TypeError
        # Manifests written by hand may have line breaks in it.
        return base64.b64decode("".join(value.split()), validate=True)
    except (TypeError, ValueError):
        raise _Invalid(f"the value of {foreign.quoted(key)} in `data` is not base64") from None


def _text(key: str, value: str | bytes) -> str:
    try:
        return value if isinstance(value, str) else value.decode()
    except UnicodeDecodeError:
        raise _Invalid(
            f"the value of {foreign.quoted(key)} is not text, so it cannot be a field of a JSON object:"
            " say --split, which makes one secret of each field"
        ) from None
