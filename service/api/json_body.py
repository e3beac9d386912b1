"""Reads a request's JSON body against a schema, and says what is wrong in the domain's terms."""

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
    """Raises domain errors where webargs would abort with its own."""

    def _raw_load_json(self, req: Request) -> Any:
        if not core.is_json(req.mimetype):
            raise NotJson("send the body as JSON, with the header Content-Type: application/json")
        try:
            body = req.get_data(cache=True)
            # Werkzeug cuts a chunked body off at the limit and does not say so.
            if req.max_content_length is not None and len(body) >= req.max_content_length:
                raise RequestEntityTooLarge
        except RequestEntityTooLarge:
            raise TooLarge(f"the body must be shorter than {req.max_content_length} bytes") from None
        except (BadRequest, ParseException):
            raise MalformedJson("the body ended early or its chunks are malformed") from None
        try:
            # Besides a syntax error: invalid UTF-8, a number of thousands of digits, deep nesting.
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
        """Raise what the schema found, by field."""
        messages = error.normalized_messages()["json"]  # type: ignore[no-untyped-call]  # marshmallow's is not
        raise InvalidFields(messages) from None
