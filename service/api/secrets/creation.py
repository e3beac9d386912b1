"""Reads bodies of ``create`` that did not come in a request, by the same schema."""

from __future__ import annotations

from collections.abc import Mapping

from marshmallow import ValidationError

from ...errors import InvalidFields
from ...secrets.create import NewSecret
from . import convert
from .requests import CreateRequest


def new_secret(body: Mapping[str, object]) -> NewSecret:
    """Return the secret that a body asks for.

    Raises:
        InvalidFields: the body does not fit the schema; what is no field of it is not repeated, as it
            could be anything.
        InvalidBase64: the value is no base64.
    """
    schema = CreateRequest()
    try:
        return convert.new_secret(schema.load(body))
    except ValidationError as error:
        found = error.normalized_messages()  # type: ignore[no-untyped-call]  # marshmallow's is not annotated
        known = {name: messages for name, messages in found.items() if name in {"_schema", *schema.fields}}
        unknown = {} if known.keys() == found.keys() else {"_schema": ["there is an unknown field"]}
        raise InvalidFields(known | unknown) from None
