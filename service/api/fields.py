"""What the bodies of requests and answers about secrets are made of."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate

from ..access.paths import RULE
from ..secrets.options import MOST_SECONDS

EXAMPLE_ID = "3f0f7b52-7a3c-4b52-9a53-0a7d4bb2f7b1"
EXAMPLE_SECRET = "aGVsbG8="  # noqa: S105  (hello)
EXAMPLE_PATH = "team/app/db-password"
EXAMPLE_TIME = "2026-01-31T12:00:00+00:00"

# As far as MongoDB's integers are sure to go.
_MOST_COUNTED = 2**31 - 1

ID = {"description": "The id that create returned (UUID version 4).", "example": EXAMPLE_ID}
PATH = {"description": f"The secret's name for people and policies: {RULE}.", "example": EXAMPLE_PATH}
VERSION = {"description": "Versions of a secret count from 1.", "example": 1, "minimum": 1}
SECRET = {
    "description": "The value, base64 (RFC 4648 section 4, padded, no line breaks); may be empty.",
    "format": "byte",
    "example": EXAMPLE_SECRET,
}
LABELS = {
    "description": "What to find it by: up to 64 pairs. They are not secret: they are kept in the clear, and"
    " listed.",
    "example": {"env": "prod"},
}


class Text(fields.String):
    """A string that can be stored: JSON can write halves of characters that no encoding has."""

    def _deserialize(self, *args: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(*args, **kwargs)
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValidationError("half a surrogate pair is no text") from None
        return text


def flag(description: str) -> fields.Boolean:
    """Return a field that is true or false and nothing that could be taken for it."""
    return fields.Boolean(truthy={True}, falsy={False}, metadata={"description": description})


def count(lowest: int, highest: int = _MOST_COUNTED, **options: Any) -> fields.Integer:
    """Return a field for a whole number from ``lowest`` to ``highest``."""
    return fields.Integer(strict=True, validate=validate.Range(lowest, highest), **options)


def seconds(description: str, example: int) -> fields.Integer:
    """Return a field for a time in seconds, or null for none."""
    metadata = {"description": description, "example": example}
    return count(1, MOST_SECONDS, allow_none=True, metadata=metadata)


def moment(description: str) -> fields.AwareDateTime:
    """Return a field for a point in time, or null for none."""
    return fields.AwareDateTime(
        allow_none=True, metadata={"description": description, "example": "2090-01-31T12:00:00+00:00"}
    )


def labels(**options: Any) -> fields.Dict:
    """Return a field for labels."""
    return fields.Dict(
        keys=Text(validate=validate.Length(1, 128)),
        values=Text(validate=validate.Length(max=512)),
        validate=validate.Length(max=64),
        metadata={**LABELS, "maxProperties": 64, "propertyNames": {"minLength": 1, "maxLength": 128}},
        **options,
    )
