"""Parses a request's JSON body and validates it against a schema, with domain errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

import marshmallow
from flask import Request
from gunicorn.http.errors import ParseException
from webargs import core
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from ..errors import InvalidFields, MalformedJson, NotJson, TooLarge


class BodyParser(FlaskParser):
    """webargs' parser, which raises domain errors instead of its own."""

    def _raw_load_json(self, req: Request) -> Any:
        if not core.is_json(req.mimetype):
            raise NotJson("send the body as JSON, with the header Content-Type: application/json")
        try:
            body = req.get_data(cache=True)
            # Werkzeug truncates a chunked body at the limit without an error.
            if req.max_content_length is not None and len(body) >= req.max_content_length:
                raise RequestEntityTooLarge
        except RequestEntityTooLarge:
            raise TooLarge(f"the body must be shorter than {req.max_content_length} bytes") from None
        except (BadRequest, ParseException):
            raise MalformedJson("the body ended early or its chunks are malformed") from None
        try:
            # Syntax errors, invalid UTF-8, numbers with thousands of digits, deep nesting.
            return json.loads(body)
        except (ValueError, RecursionError):
            raise MalformedJson("the body is not a JSON document") from None

    def handle_error(
        self,
        error: marshmallow.ValidationError,
        req: Request,
        schema: marshmallow.Schema,
        *,
        error_status_code: int | None,
        error_headers: Mapping[str, str] | None,
    ) -> NoReturn:
        """Raise InvalidFields with the schema's messages by field."""
        messages = error.normalized_messages()["json"]  # type: ignore[no-untyped-call]  # marshmallow's is not
        raise InvalidFields(messages) from None
