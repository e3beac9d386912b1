"""Fields and descriptions that several schemas share."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from marshmallow import ValidationError, fields, validate

from ..access.paths import RULE
from ..errors import InvalidBase64
from ..secrets.options import (
    MAX_LABEL_CHARACTERS,
    MAX_LABEL_NAME_CHARACTERS,
    MAX_LABELS,
    MAX_SECONDS,
)

EXAMPLE_ID = "3f0f7b52-7a3c-4b52-9a53-0a7d4bb2f7b1"
EXAMPLE_SECRET = "aGVsbG8="  # noqa: S105  (hello)
EXAMPLE_PATH = "team/app/db-password"
EXAMPLE_TIME = "2026-01-31T12:00:00+00:00"

# A signed 32-bit integer, the smallest integer type of MongoDB.
MAX_INTEGER = 2**31 - 1

ID = {"description": "The id that create returned (UUID version 4).", "example": EXAMPLE_ID}
PATH = {"description": f"The secret's name, for people and policies: {RULE}.", "example": EXAMPLE_PATH}
VERSION = {"description": "The version's number, counted from 1.", "example": 1, "minimum": 1}
SECRET = {
    "description": "The value in base64 (RFC 4648 section 4, padded, no line breaks); may be empty.",
    "format": "byte",
    "example": EXAMPLE_SECRET,
}
LABELS = {
    "description": f"Up to {MAX_LABELS} pairs to find the secret by. They are not secret: they are stored"
    " unencrypted and shown in lists.",
    "example": {"env": "prod"},
}


class Text(fields.String):
    """A string that UTF-8 can encode: JSON can contain lone surrogates."""

    def _deserialize(self, *args: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(*args, **kwargs)
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValidationError("invalid Unicode: it contains half of a surrogate pair") from None
        return text


class Base64Bytes(fields.String):
    """Bytes as base64; loading anything else raises ``InvalidBase64``."""

    def _deserialize(self, *args: Any, **kwargs: Any) -> Any:
        return decode_base64(super()._deserialize(*args, **kwargs))

    def _serialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return base64.b64encode(value).decode()


class _Flag(fields.Boolean):
    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        # marshmallow's own compares, and to Python 1 equals True.
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


def flag(description: str) -> fields.Boolean:
    """Return a field that takes true and false, and nothing similar such as ``"yes"`` or 1."""
    return _Flag(metadata={"description": description})


def actor_names() -> fields.Dict:
    """Return a field for the names of the actors in a response."""
    return fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={
            "description": "If `names` was sent: the names of the tokens in this response, by id, and those"
            " of AppRoles that logged in, by `approle:` and id.",
            "example": {"0f3a5b7c9d1e2f40": "billing"},
        },
    )


def wants_names() -> fields.Boolean:
    """Return the field that asks for ``actor_names``."""
    return flag("True for the names of the tokens and AppRoles in the response, besides their ids.")


def next_page() -> fields.String:
    """Return the field of a page of records that says where the next one begins."""
    return fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Pass it as `after` for the next page; null on the last page."},
    )


def count(lowest: int, highest: int = MAX_INTEGER, **options: Any) -> fields.Integer:
    """Return a field for a whole number from ``lowest`` to ``highest``."""
    return fields.Integer(strict=True, validate=validate.Range(lowest, highest), **options)


def seconds(description: str, example: int) -> fields.Integer:
    """Return a field for a duration in seconds, or null for none."""
    metadata = {"description": description, "example": example}
    return count(1, MAX_SECONDS, allow_none=True, metadata=metadata)


def moment(description: str) -> fields.AwareDateTime:
    """Return a field for a point in time, or null for none."""
    example = "2090-01-31T12:00:00+00:00"
    return fields.AwareDateTime(
        allow_none=True,
        error_messages={
            "invalid": f"Not a time such as {example}.",
            "invalid_awareness": "The time zone is missing: end with Z (UTC) or an offset such as +02:00.",
        },
        metadata={"description": description, "example": example},
    )


def label_map(**options: Any) -> fields.Dict:
    """Return a field for labels."""
    return fields.Dict(
        keys=Text(validate=validate.Length(1, MAX_LABEL_NAME_CHARACTERS)),
        values=Text(validate=validate.Length(max=MAX_LABEL_CHARACTERS)),
        validate=validate.Length(max=MAX_LABELS),
        metadata={
            **LABELS,
            "maxProperties": MAX_LABELS,
            "propertyNames": {"minLength": 1, "maxLength": MAX_LABEL_NAME_CHARACTERS},
        },
        **options,
    )


def decode_base64(text: str) -> bytes:
    """Return the bytes that ``text`` encodes strictly as in RFC 4648 section 4.

    Raises:
        InvalidBase64: another alphabet, white space, wrong padding, or padding bits that are not zero.
    """
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        decoded = None
    # Python's decoder accepts padding bits that are not zero; encoding again detects them.
    if decoded is None or base64.b64encode(decoded) != text.encode():
        raise InvalidBase64(
            "invalid base64: the standard alphabet with padding and no line breaks is expected (base64 -w0)"
        )
    return decoded
