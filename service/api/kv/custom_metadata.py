"""Custom metadata, which are the labels of a secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import InvalidFields
from ...secrets.options import MAX_LABEL_CHARACTERS, MAX_LABEL_NAME_CHARACTERS, MAX_LABELS
from ...strict_json import Number


def parse(sent: object) -> dict[str, str]:
    """Return the labels that a client sends; null is none.

    Raises:
        InvalidFields: they are too many or too long, or no texts.
    """
    labels = parse_patch(sent)
    if empty := [name for name, value in labels.items() if value is None]:
        raise _failed(f"the value of {empty[0]!r} is null")
    return _checked({name: value for name, value in labels.items() if value is not None})


def parse_patch(sent: object) -> dict[str, str | None]:
    """Return changes of labels; None removes one.

    Raises:
        InvalidFields: one is not a text.
    """
    if sent is None:
        return {}
    if not isinstance(sent, Mapping):
        raise _failed("it must be an object of texts")
    return {name: None if value is None else _text(value) for name, value in sent.items()}


def patched(present: Mapping[str, str], patch: Mapping[str, str | None]) -> dict[str, str]:
    """Return labels with changes made.

    Raises:
        InvalidFields: as ``parse``.
    """
    merged = {**present, **patch}
    return _checked({name: value for name, value in merged.items() if value is not None})


def _text(value: Any) -> str:
    match value:
        case str():
            return value
        case bool():
            # As Vault's decoder does it.
            return "1" if value else "0"
        case Number():
            return value.text
    raise _failed("each value must be a text")


def _checked(labels: dict[str, str]) -> dict[str, str]:
    if len(labels) > MAX_LABELS:
        raise _failed(f"there may be up to {MAX_LABELS} keys")
    for name, value in labels.items():
        if not 1 <= len(name) <= MAX_LABEL_NAME_CHARACTERS:
            raise _failed(f"a key has 1 to {MAX_LABEL_NAME_CHARACTERS} characters")
        if not 1 <= len(value) <= MAX_LABEL_CHARACTERS:
            raise _failed(f"a value has 1 to {MAX_LABEL_CHARACTERS} characters")
    return labels


def _failed(what: str) -> InvalidFields:
    return InvalidFields({"custom_metadata": [f"custom_metadata validation failed: {what}"]})
